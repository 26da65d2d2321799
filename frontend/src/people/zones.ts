/** Time zones: the browser's own, and all that one can choose from. */

/** The zone that holds where nothing else is known, here as on the server. */
export const USUAL_ZONE = "UTC";

interface Choice {
  value: string;
  label: string;
}

/** Name the browser's time zone; UTC where it does not tell. */
export function browserZone(format: () => { timeZone?: string } = () => Intl.DateTimeFormat().resolvedOptions()): string {
  const zone = format().timeZone;
  return zone && zone !== "Etc/Unknown" ? zone : USUAL_ZONE;
}

/** List the zones to choose from, by name; those of `always` are there even where the browser does not know them. */
export function zoneChoices(always: readonly string[], known: readonly string[] = Intl.supportedValuesOf("timeZone")): Choice[] {
  const names = new Set([USUAL_ZONE, ...always, ...known]);
  return [...names].sort().map((value) => ({ value, label: zoneWords(value) }));
}

export function zoneWords(zone: string): string {
  return zone.replaceAll("_", " ");
}

/** Say what time it is in a zone; null where the browser does not know it. */
export function timeIn(zone: string, now = new Date()): string | null {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(now);
  } catch {
    return null;
  }
}
