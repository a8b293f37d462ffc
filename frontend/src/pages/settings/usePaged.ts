import { useCallback, useEffect, useState } from "react";
import { ApiError, api } from "../../api/client";
import { useResource, type Resource } from "../../api/useResource";

export interface Paged<Item> {
  /** The pages shown so far, and how many there are in all. */
  resource: Resource<{ items: Item[]; total: number }>;
  hasMore: boolean;
  isLoadingMore: boolean;
  more: () => void;
}

const size = 50;

/** A long list, newest first, page by page. It begins anew with what is asked for, and whenever it is reloaded. */
export function usePaged<Key extends string, Item extends { id: string }>(
  path: string, key: Key, query: Record<string, string> = {},
): Paged<Item> {
  const identity = `${path} ${JSON.stringify(query)}`;
  const [isLoadingMore, setLoadingMore] = useState(false);
  const load = async (offset: number, signal?: AbortSignal): Promise<{ items: Item[]; total: number }> => {
    const page = await api<Record<Key, Item[]> & { total: number }>("GET", path, {
      query: { ...query, limit: size, offset }, ...(signal ? { signal } : {}),
    });
    return { items: page[key], total: page.total };
  };
  const resource = useResource(identity, (signal) => load(0, signal));
  const [moreFailed, setMoreFailed] = useState<ApiError | null>(null);
  const { value, set } = resource;
  useEffect(() => setMoreFailed(null), [value]);
  const more = useCallback(() => {
    if (!value || isLoadingMore) return;
    setLoadingMore(true);
    load(value.items.length).then(
      (page) => {
        // What came in meanwhile has moved the pages: nothing is shown twice.
        const known = new Set(value.items.map((item) => item.id));
        set({ items: [...value.items, ...page.items.filter((item) => !known.has(item.id))], total: page.total });
      },
      (error: unknown) => setMoreFailed(error instanceof ApiError ? error : new ApiError(0, null)),
    ).finally(() => setLoadingMore(false));
  }, [value, set, isLoadingMore, identity]);
  return {
    resource: { ...resource, error: resource.error ?? moreFailed },
    hasMore: value !== undefined && value.items.length < value.total, isLoadingMore, more,
  };
}
