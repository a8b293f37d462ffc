import { useT, type MessageKey, type Parameters } from "../../i18n";

/** A text for a name that comes from the server; `otherwise` for names this version does not know. */
export function useWords(): (key: string, otherwise: string, parameters?: Parameters) => string {
  const t = useT();
  return (key, otherwise, parameters) => {
    const text = t(key as MessageKey, parameters);
    return text === key ? otherwise : text;
  };
}
