/** The only door through which a model's words become HTML. DOMPurify runs last, with a list of what may pass. */
import DOMPurify from 'dompurify';
import type { Token } from 'marked';
import { PLAIN, type Dialect } from './dialect.ts';

const ALLOWED_TAGS = (
  'p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote table thead tbody tr th td a em strong del s b i u sub sup kbd small mark ' +
  'details summary code pre span div button'
).split(' ');
/** Attributes that hold no address; DOMPurify would otherwise hold them to the rule for addresses. */
const PLAIN_ATTR = ['title', 'target', 'rel', 'class', 'align', 'start', 'type', 'tabindex', 'role', 'aria-label'];

const POLICY = {
  ALLOWED_TAGS,
  ALLOWED_ATTR: ['href', ...PLAIN_ATTR],
  ADD_URI_SAFE_ATTR: PLAIN_ATTR,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

export function blockHtml(token: Token, dialect: Dialect = PLAIN): string {
  return sanitise(dialect.render(token));
}

/** The same as nodes, for those who add nodes of their own. */
export function blockNodes(token: Token, dialect: Dialect = PLAIN): DocumentFragment {
  requireDom();
  return DOMPurify.sanitize(dialect.render(token), { ...POLICY, RETURN_DOM_FRAGMENT: true });
}

/** Safe to insert. Without a DOM (a test in Node) DOMPurify cannot work, and this throws rather than let anything pass. */
export function sanitise(html: string): string {
  requireDom();
  return DOMPurify.sanitize(html, POLICY);
}

function requireDom(): void {
  if (!DOMPurify.isSupported) throw new Error('DOMPurify needs a DOM.');
}
