// Names that are used once: keys of answers, and the name of this tab.

/** Return a new key of 128 random bits; `randomUUID` exists on secure origins alone. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Return the name of this tab. A reload keeps it, so that the same images come back; a copy gets a new one. */
function nameOfTab() {
  const navigation = performance.getEntriesByType("navigation")[0]?.type;
  const returns = navigation === "reload" || navigation === "back_forward";
  try {
    const kept = returns && sessionStorage.getItem("nextlabel.tab");
    const tab = kept || newKey();
    sessionStorage.setItem("nextlabel.tab", tab);
    return tab;
  } catch {
    return newKey();
  }
}

export const tab = nameOfTab();
