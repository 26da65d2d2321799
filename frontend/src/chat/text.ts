/** What may be sent: 1 to 16,000 characters, counted as the server counts them. */

export const LONGEST = 16_000;

/** Drop empty lines around the text, and halves of characters that no JSON parser likes. */
export function tidy(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/^\s*\n|\s+$/g, "").replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}

/** Count Unicode code points; cheap for the short texts that most are. */
export function length(text: string): number {
  return text.length <= LONGEST / 2 ? text.length : [...text].length;
}

export function fits(text: string): boolean {
  return text.trim().length > 0 && length(text) <= LONGEST;
}
