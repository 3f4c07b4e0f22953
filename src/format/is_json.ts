/** Whether a text is JSON. It says no more: the runtime's own message would quote the text, which may have been decrypted. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
