/** Groups the sidebar's conversations the way people remember them: by calendar day, then month, in local time. */
import type { ConversationSummary } from '../../main/contract/types.ts';

export interface ConversationGroup {
  readonly label: string;
  readonly conversations: readonly ConversationSummary[];
}

const DAY_MS = 86_400_000;

export function groupByDate(conversations: readonly ConversationSummary[], nowMs: number, locale = 'en'): ConversationGroup[] {
  const today = startOfDay(nowMs);
  const groups: { label: string; conversations: ConversationSummary[] }[] = [];
  for (const conversation of conversations) {
    const label = labelOf(conversation.updatedAtMs, today, nowMs, locale);
    const last = groups.at(-1);
    if (last?.label === label) last.conversations.push(conversation);
    else groups.push({ label, conversations: [conversation] });
  }
  return groups;
}

function labelOf(timeMs: number, todayMs: number, nowMs: number, locale: string): string {
  const day = startOfDay(timeMs);
  // Rounded, because a day of a clock change has 23 or 25 hours.
  const daysAgo = Math.round((todayMs - day) / DAY_MS);
  if (daysAgo <= 0) return 'Today';
  if (daysAgo === 1) return 'Yesterday';
  if (daysAgo <= 7) return 'Previous 7 days';
  if (daysAgo <= 30) return 'Previous 30 days';
  const sameYear = new Date(timeMs).getFullYear() === new Date(nowMs).getFullYear();
  return new Intl.DateTimeFormat(locale, sameYear ? { month: 'long' } : { month: 'long', year: 'numeric' }).format(timeMs);
}

function startOfDay(timeMs: number): number {
  const date = new Date(timeMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
