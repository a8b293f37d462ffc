import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import type { Resource } from "../api/useResource";
import { Icon } from "../drawings/icons";
import { useT } from "../i18n";
import { Button } from "./Button";
import { problemText } from "./form";

/** Something to know about the page. `isUrgent`: read out at once. */
export function Notice({
  tone = "info", children, isUrgent = false,
}: { tone?: "info" | "ok" | "warning" | "critical"; children: ReactNode; isUrgent?: boolean }): JSX.Element {
  const icon = tone === "ok" ? "check" : tone === "info" ? "info" : tone;
  return (
    <div className={`notice notice-${tone}`} role={isUrgent ? "alert" : undefined}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}

/** What a form was refused for, as a whole. */
export function FormProblem({ problem }: { problem: string | null }): JSX.Element | null {
  return problem === null ? null : <Notice tone="critical" isUrgent>{problem}</Notice>;
}

export function ProblemNotice({ error, onRetry }: { error: ApiError; onRetry?: () => void }): JSX.Element {
  const t = useT();
  return (
    <Notice tone="critical" isUrgent>
      <p>{problemText(error, t)}</p>
      {onRetry && <Button icon="refresh" onClick={onRetry}>{t("action.retry")}</Button>}
    </Notice>
  );
}

/** What is loaded, or that it is being loaded, or why it cannot be. A value stays when loading it anew fails. */
export function Loaded<Value>({
  resource, children,
}: { resource: Resource<Value>; children: (value: Value) => ReactNode }): JSX.Element {
  return (
    <>
      {resource.error && <ProblemNotice error={resource.error} onRetry={resource.reload} />}
      {resource.value !== undefined ? children(resource.value) : resource.error ? null : <Waiting />}
    </>
  );
}

export function Waiting(): JSX.Element {
  const t = useT();
  return <p className="waiting" role="status">{t("app.loading")}</p>;
}

/** In the place of a list that has nothing in it. */
export function Empty({ title, children, drawing }: { title: string; children?: ReactNode; drawing?: ReactNode }): JSX.Element {
  return (
    <div className="empty">
      {drawing}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
