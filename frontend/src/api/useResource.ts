import { useCallback, useEffect, useRef, useState } from "react";
import { useLiveSelection } from "../live/hooks";
import { ApiError } from "./client";

export interface Resource<Value> {
  /** Stays while it is loaded anew, also when that fails. */
  value: Value | undefined;
  error: ApiError | null;
  isLoading: boolean;
  reload: () => void;
  /** Takes over what an answer has just shown. */
  set: (value: Value) => void;
}

/**
 * Loads what the live store does not hold. Loads anew when `key` changes and when the live store did (the connection was
 * lost, or the server asked for it). Give key null to load nothing.
 */
export function useResource<Value>(
  key: string | null, load: (signal: AbortSignal) => Promise<Value>,
): Resource<Value> {
  const [state, setState] = useState<{
    key: string | null; value: Value | undefined; error: ApiError | null; isLoading: boolean;
  }>({ key, value: undefined, error: null, isLoading: key !== null });
  const [attempt, setAttempt] = useState(0);
  const generation = useLiveSelection((live) => live.generation);
  const latest = useRef(load);
  latest.current = load;
  /** A loading is under way; another one was asked for meanwhile. */
  const turn = useRef({ isBusy: false, again: false });

  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    turn.current = { isBusy: true, again: false };
    const end = (): void => {
      const { again } = turn.current;
      turn.current = { isBusy: false, again: false };
      if (again) setAttempt((count) => count + 1);
    };
    setState((old) => ({
      key, value: old.key === key ? old.value : undefined, error: old.key === key ? old.error : null, isLoading: true,
    }));
    latest.current(controller.signal).then(
      (value) => {
        if (controller.signal.aborted) return;
        setState({ key, value, error: null, isLoading: false });
        end();
      },
      (reason: unknown) => {
        if (controller.signal.aborted) return;
        const error = reason instanceof ApiError ? reason : new ApiError(0, null);
        setState((old) => ({ ...old, key, error, isLoading: false }));
        end();
      },
    );
    return () => controller.abort();
  }, [key, attempt, generation]);

  // What is under way is ended first: whoever asks at each of many events would never see an answer.
  const reload = useCallback(() => {
    if (turn.current.isBusy) turn.current.again = true;
    else setAttempt((count) => count + 1);
  }, []);
  // An answer that comes after the key has changed is not for what is shown now.
  const set = useCallback((value: Value) => setState(
    (old) => old.key === key ? { key, value, error: null, isLoading: false } : old,
  ), [key]);
  const isCurrent = state.key === key;
  return {
    value: isCurrent ? state.value : undefined, error: isCurrent ? state.error : null,
    isLoading: isCurrent ? state.isLoading : key !== null, reload, set,
  };
}
