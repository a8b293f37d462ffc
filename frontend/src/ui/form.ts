import { useCallback, useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { useT, type Translate } from "../i18n";

export { readNumber } from "./readNumber";

/** Errors by the name of a field: what stands after the first / of a JSON pointer, such as "thresholds/co2/max". */
export type FieldErrors = Readonly<Record<string, string>>;

export interface Submission {
  isBusy: boolean;
  /** What is wrong with all of it, in words. */
  problem: string | null;
  errors: FieldErrors;
  /** Runs the action; what it throws is shown. Gives whether it went well. */
  run: (action: () => Promise<unknown>) => Promise<boolean>;
  /** Errors found before anything was sent. Gives whether there are none. */
  check: (errors: FieldErrors) => boolean;
  clear: () => void;
}

/** What went wrong, in words for somebody who wants to go on. */
export function problemText(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) {
    return t("problem.unexpected", { detail: error instanceof Error ? error.message : String(error) });
  }
  if (error.isUnreachable) return t("problem.unreachable");
  if (error.status === 403) return t("problem.forbidden");
  if (error.status === 404) return t("problem.gone");
  if (error.status === 429 && error.retryAfterSeconds !== null) {
    return t("problem.too_many", { count: error.retryAfterSeconds });
  }
  if (error.status === 429) return t("problem.busy");
  const detail = error.problem?.errors?.map((one) => one.detail).join("; ") || error.message;
  const reference = error.status >= 500 && error.problem ? ` (${t("problem.reference", { id: error.problem.correlation_id })})` : "";
  return t("problem.unexpected", { detail }) + reference;
}

/** The state of sending a form: busy, refused as a whole, refused field by field. */
export function useSubmission(): Submission {
  const t = useT();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [errors, setErrors] = useState<FieldErrors>({});

  // Whoever sent the form is taken to the first field that is wrong: it may be out of sight, or not seen at all.
  useEffect(() => {
    if (Object.keys(errors).length === 0) return;
    const form = document.querySelector("dialog[open]") ?? document;
    form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);

  const check = useCallback((found: FieldErrors) => {
    const isFine = Object.keys(found).length === 0;
    setErrors(found);
    setProblem(isFine ? null : t("form.errors"));
    return isFine;
  }, [t]);

  const run = useCallback(async (action: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    setErrors({});
    try {
      await action();
      return true;
    } catch (error) {
      const fields = error instanceof ApiError && error.status === 422 ? fieldErrors(error) : {};
      setErrors(fields);
      setProblem(Object.keys(fields).length > 0 ? `${t("form.errors")} ${Object.values(fields).join("; ")}` : problemText(error, t));
      return false;
    } finally {
      setBusy(false);
    }
  }, [t]);

  const clear = useCallback(() => {
    setProblem(null);
    setErrors({});
  }, []);
  return { isBusy, problem, errors, run, check, clear };
}

function fieldErrors(error: ApiError): FieldErrors {
  const errors: Record<string, string> = {};
  for (const one of error.problem?.errors ?? []) {
    const name = one.pointer.replace(/^#?\//, "").replaceAll("~1", "/").replaceAll("~0", "~");
    errors[name] = errors[name] === undefined ? one.detail : `${errors[name]}; ${one.detail}`;
  }
  return errors;
}
