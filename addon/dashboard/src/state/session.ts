/** `#token=…` in the address is exchanged for a session and removed, so that it stays in no history and no screenshot. */
import { signIn } from '../api/client';

export function tokenOf(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  return token === '' ? null : token;
}

export async function exchangeAddressToken(): Promise<void> {
  const token = tokenOf(location.hash);
  if (token === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  await signIn(token);
}
