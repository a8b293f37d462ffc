import type { Species } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { plantMetrics } from "../../../metrics";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";

export function SpeciesRow({
  species, mayChange, onDo,
}: { species: Species; mayChange: boolean; onDo: (kind: "edit" | "delete") => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const name = species.common_name ?? species.scientific_name;
  const facts = [
    species.light && t(`settings.species.light.${species.light}`),
    species.water && t(`settings.species.water.${species.water}`),
    species.usda_zone_min !== null && t("settings.species.zone_from", { zone: species.usda_zone_min }),
  ].filter(Boolean).join(" · ");
  const limits = plantMetrics.filter((metric) => species.thresholds[metric])
    .map((metric) => `${format.metric(metric)} ${format.limits(species.thresholds[metric], metric)}`).join(", ");
  return (
    <li>
      <div className="settings-item">
        <h3>
          {name} {species.source === "own" && <Badge tone="ok" icon="pencil">{t("settings.species.is_own")}</Badge>}
        </h3>
        {species.common_name !== null && <p className="small"><i>{species.scientific_name}</i></p>}
        {facts !== "" && <p className="small soft">{facts}</p>}
        {limits !== "" && <p className="small soft">{limits}</p>}
      </div>
      {mayChange && (
        <div className="card-actions">
          <Button icon="pencil"
            aria-label={t(species.id === null ? "settings.species.adapt_named" : "settings.species.edit_named", { name })}
            onClick={() => onDo("edit")}>
            {t(species.id === null ? "settings.species.adapt" : "action.edit")}
          </Button>
          {species.id !== null && (
            <Button kind="danger" icon="trash" aria-label={t("settings.species.delete_named", { name })}
              onClick={() => onDo("delete")}>
              {t("action.delete")}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}
