/**
 * Light or dark. The system's preference decides; `?theme=light|dark|auto` in the address sets it for this browser (kept in
 * localStorage under `energy-dashboard.theme`), for a wall tablet and for tests.
 */
const STORED = 'energy-dashboard.theme';
const CHOICES = ['light', 'dark', 'auto'] as const;
type Choice = (typeof CHOICES)[number];

const choiceOf = (text: string | null): Choice | null => CHOICES.find((choice) => choice === text) ?? null;

/** Sent on the document whenever the colours change. */
export const THEME_EVENT = 'energy-dashboard-theme';

/** Applies the choice, and keeps to the system's preference where it decides. */
export function startTheme(): void {
  const asked = choiceOf(new URLSearchParams(location.search).get('theme'));
  if (asked) localStorage.setItem(STORED, asked);
  const choice = asked ?? choiceOf(localStorage.getItem(STORED)) ?? 'auto';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = (): void => {
    const dark = choice === 'dark' || (choice === 'auto' && system.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.dispatchEvent(new Event(THEME_EVENT));
  };
  apply();
  system.addEventListener('change', apply);
}
