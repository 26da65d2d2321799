/** The folders of the organization, read when a page needs them. */
import { useCallback, useEffect, useState } from "react";
import { folders as api, type Folder } from "../api/knowledge";
import { tellError } from "../shell/tell";

export function useFolders(): { folders: readonly Folder[]; refresh: () => Promise<void> } {
  const [folders, setFolders] = useState<readonly Folder[]>([]);
  const refresh = useCallback(async () => {
    try {
      setFolders(await api.list());
    } catch (error) {
      tellError(error);
    }
  }, []);
  useEffect(() => void refresh(), [refresh]);
  return { folders, refresh };
}
