/** One quiet line while the server is away. */
import { Loader } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLive } from "./context";
import { pickConnected, pickStrained } from "./pick";
import classes from "./shell.module.css";

const PATIENCE_MS = 1_000;

export function StatusBar() {
  const connected = useLive(pickConnected);
  const strained = useLive(pickStrained);
  const [late, setLate] = useState(false);

  // A connection that is back within a second was nobody's concern.
  useEffect(() => {
    if (connected) return undefined;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [connected]);

  const reconnecting = !connected && late;
  if (!reconnecting && !strained) return null;
  return (
    <div className={classes.status} role="status" data-testid={reconnecting ? "reconnecting" : "strained"}>
      <Loader size={12} color="currentColor" />
      {reconnecting ? "Reconnecting… what you write is kept." : "Dashify is catching its breath. One moment…"}
    </div>
  );
}
