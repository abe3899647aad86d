const FIRST_MS = 1000;
/** Short, so that who watches a server come back sees what it fetches then. */
const LONGEST_MS = 5000;

/** How long to wait before the next attempt; `random` in [0, 1) keeps many browsers from coming back together. */
export function backoffMs(attempt: number, random: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.75 + random / 2);
}
