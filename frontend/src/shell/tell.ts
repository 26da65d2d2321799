/** Short words at the edge of the page. */
import { notifications } from "@mantine/notifications";
import { sentence } from "../api/errors";

export function tellError(error: unknown): void {
  notifications.show({ message: sentence(error), color: "red", role: "alert" });
}

export function tell(message: string): void {
  notifications.show({ message });
}
