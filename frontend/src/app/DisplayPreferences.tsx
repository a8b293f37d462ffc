import { useT } from "../i18n";
import { Segmented } from "../ui/Choice";
import { setPreference, usePreferences } from "./preferences";

/** How this browser shows things; what is chosen holds at once. */
export function DisplayPreferences(): JSX.Element {
  const t = useT();
  const { theme, language, temperature } = usePreferences();
  return (
    <>
      <Segmented label={t("nav.theme")} value={theme} onValue={(value) => setPreference("theme", value)} options={[
        { value: "auto", label: t("nav.theme_auto") }, { value: "light", label: t("nav.theme_light") },
        { value: "dark", label: t("nav.theme_dark") },
      ]} />
      <Segmented label={t("nav.language")} value={language} onValue={(value) => setPreference("language", value)}
        options={[{ value: "en", label: "English" }, { value: "de", label: "Deutsch" }]} />
      <Segmented label={t("nav.temperature")} value={temperature}
        onValue={(value) => setPreference("temperature", value)}
        options={[{ value: "celsius", label: "°C" }, { value: "fahrenheit", label: "°F" }]} />
    </>
  );
}
