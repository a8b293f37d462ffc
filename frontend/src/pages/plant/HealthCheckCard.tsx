import { useState } from "react";
import { api } from "../../api/client";
import type { HealthCheck, Plant } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { StatusBadge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { useSubmission } from "../../ui/form";
import { FormProblem } from "../../ui/Notice";
import { Card } from "../../ui/Page";

/** A look at everything known of the plant, on demand. */
export function HealthCheckCard({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  const [result, setResult] = useState<HealthCheck | null>(null);
  async function check(): Promise<void> {
    await submission.run(async () => setResult(await api<HealthCheck>("POST", `/plants/${plant.id}/health-check`)));
  }
  return (
    <Card title={t("plant.health")} className="health-card">
      <p className="soft">{t("plant.health.text")}</p>
      <p>
        <Button icon="search" busy={submission.isBusy} onClick={() => void check()}>
          {t(result ? "plant.health.again" : "plant.health.check")}
        </Button>
      </p>
      <FormProblem problem={submission.problem} />
      <div aria-live="polite">{result && <Result result={result} />}</div>
    </Card>
  );
}

/** The texts are the server's, and English. */
function Result({ result }: { result: HealthCheck }): JSX.Element {
  const t = useT();
  const format = useFormat();
  return (
    <div className="health-result">
      <p className="health-summary">
        <StatusBadge status={result.status} />
        <span lang="en">{result.summary}</span>
      </p>
      {result.issues.length > 0 && (
        <>
          <h3>{t("plant.health.issues")}</h3>
          <ul className="plain-list">
            {result.issues.map((issue, index) => (
              <li key={`${issue.kind} ${issue.metric ?? ""} ${index}`} className={`health-issue health-${issue.severity}`}>
                <Icon name={issue.severity} title={issue.severity === "info" ? t("plant.health.info") : t(`severity.${issue.severity}`)} />
                <span lang="en">{issue.text}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {result.trends.length > 0 && (
        <>
          <h3>{t("plant.health.trends")}</h3>
          <ul className="plain-list">
            {result.trends.map((trend) => (
              <li key={trend.metric} className="health-trend">
                <strong>{format.metric(trend.metric)}</strong>
                <span lang="en">{trend.text}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <p className="soft small">{t("plant.health.at", { time: format.dateTime(result.checked_at) })}</p>
    </div>
  );
}
