/** `URL.parse`, which is too new for some of our hosts: null where `text` is no address. */
export function asUrl(text: string, base?: URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
