/** How Dashify looks: spruce for what can be done, warm paper and ink for the rest. */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const spruce: MantineColorsTuple = [
  "#edf7f3", "#d8ece4", "#b1d8c9", "#86c3ab", "#60ae92", "#429a7c", "#2f8468", "#1f6b58", "#175346", "#0f3b32",
];
const paper: MantineColorsTuple = [
  "#faf8f5", "#f3f0ea", "#e8e3da", "#d8d1c5", "#bdb4a6", "#9b9184", "#746b60", "#57504a", "#393430", "#211e1b",
];
const night: MantineColorsTuple = [
  "#d9d5cf", "#b3ada5", "#9a938a", "#6d675f", "#45413c", "#34312d", "#282522", "#1d1b19", "#171513", "#100f0d",
];

export const theme = createTheme({
  colors: { spruce, gray: paper, dark: night },
  primaryColor: "spruce",
  primaryShade: { light: 7, dark: 6 },
  black: "#211e1b",
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily: 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: "650" },
  focusRing: "auto",
  // Whoever asked the system for less motion has a layer in its place at once, not beside the page first.
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true, color: "dark.6" } },
    Modal: { defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.4, blur: 2 } } },
  },
});
