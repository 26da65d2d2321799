import { expect, test } from "vitest";
import { browserZone, timeIn, zoneChoices } from "./zones";

test("a browser that does not tell its zone counts as UTC", () => {
  expect(browserZone(() => ({ timeZone: "Europe/Berlin" }))).toBe("Europe/Berlin");
  expect(browserZone(() => ({ timeZone: "Etc/Unknown" }))).toBe("UTC");
  expect(browserZone(() => ({}))).toBe("UTC");
});

test("UTC and the zone one has can be chosen, whatever the browser lists", () => {
  const choices = zoneChoices(["Mars/Olympus_Mons"], ["Europe/Berlin", "America/New_York"]);
  expect(choices.map((one) => one.value)).toEqual(["America/New_York", "Europe/Berlin", "Mars/Olympus_Mons", "UTC"]);
  expect(choices[0]?.label).toBe("America/New York");
});

test("the time in a zone is told, and none in a zone that is not known", () => {
  const noon = new Date("2026-01-02T12:00:00Z");
  expect(timeIn("Asia/Kolkata", noon)).toMatch(/^0?5:30|17:30/);
  expect(timeIn("Mars/Olympus_Mons", noon)).toBe(null);
});
