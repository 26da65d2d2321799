/** Put text into the clipboard. */

/** Over plain `http://` there is no `navigator.clipboard`; a selected field can be copied nevertheless. Rejects when refused. */
export async function copyText(text: string): Promise<void> {
  // The types promise a clipboard on every page, which is so over HTTPS only.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) return clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  document.body.append(field);
  field.select();
  // Deprecated, yet the one way that such pages have.
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("The browser did not let the link be copied.");
}
