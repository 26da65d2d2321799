import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app/global.css";
import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { Crash } from "./app/Crash";
import { renew } from "./app/renew";
import { theme } from "./app/theme";

const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute("content") ?? "";
// The scroll lock behind dialogs writes a <style> of its own and asks this package for the nonce.
setNonce(nonce);

window.addEventListener("vite:preloadError", renew);

const root = document.getElementById("root");
if (!root) throw new Error("The page has no root element.");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <Crash>
        <ModalsProvider labels={{ confirm: "Yes", cancel: "Cancel" }}>
          <Notifications position="bottom-right" limit={3} />
          <App />
        </ModalsProvider>
      </Crash>
    </MantineProvider>
  </StrictMode>,
);
