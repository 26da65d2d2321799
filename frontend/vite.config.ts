import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const API = process.env.DASHIFY_DEV_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  base: "/",
  build: {
    outDir: "../dashify/static",
    emptyOutDir: true,
    // The content security policy allows neither inline scripts nor data: scripts, and pages of an older release may
    // still ask for their assets, so everything is a file with a hashed name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": API, "/socket.io": { target: API, ws: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
