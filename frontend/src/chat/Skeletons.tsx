/** The shape of a conversation before it is here. */
import { Group, Skeleton, Stack } from "@mantine/core";

const WIDTHS = [62, 38, 74, 50, 66];

export function Skeletons() {
  return (
    <Stack gap="xl" p="lg" flex={1} justify="flex-end" aria-hidden="true" style={{ overflow: "hidden" }}>
      {WIDTHS.map((width) => (
        <Group key={width} gap="sm" wrap="nowrap" align="flex-start">
          <Skeleton h={36} w={36} radius="md" style={{ flex: "none" }} />
          <Stack gap={8} flex={1}>
            <Skeleton h={11} w={120} />
            <Skeleton h={11} w={`${width}%`} />
          </Stack>
        </Group>
      ))}
    </Stack>
  );
}
