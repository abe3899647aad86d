/** Signing in with the server's token, when the API says so. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { AnswerError, UnauthorizedError, isApiFailure, signIn, type ApiFailure } from '../api/client';
import { t } from '../i18n';
import { base, button, card } from '../styles/shared';

const TOO_MANY = 429;

@customElement('ed-login-view')
export class EdLoginView extends LitElement {
  static override styles = [
    base,
    card,
    button,
    css`
      :host {
        display: grid;
        place-items: center;
        min-height: 100dvh;
        padding: 24px 16px;
      }
      .card {
        width: 100%;
        max-width: 440px;
        padding: 24px;
      }
      h1 {
        font: 400 24px/32px Roboto, sans-serif;
      }
      p {
        margin-top: 8px;
      }
      form {
        display: grid;
        gap: 8px;
        margin-top: 16px;
      }
      label {
        font-weight: 500;
      }
      input {
        width: 100%;
        height: 48px;
        padding: 0 12px;
        border: 1px solid var(--use-edge);
        border-radius: 8px;
        background: var(--ground);
        color: var(--ink);
      }
      input[aria-invalid='true'] {
        border-color: var(--error);
      }
      .button {
        justify-content: center;
        height: 48px;
        margin-top: 8px;
        border-radius: 24px;
      }
      .failed {
        margin: 0;
        color: var(--error);
      }
      code {
        padding: 1px 4px;
        border-radius: 4px;
        background: var(--track);
        font: 13px/20px ui-monospace, monospace;
      }
    `,
  ];

  @state() private failure: ApiFailure | null = null;
  @state() private busy = false;

  override render(): TemplateResult {
    const failed = this.failure ? this.words(this.failure) : '';
    return html`<main class="card">
      <h1>${t('login.title')}</h1>
      <p>${t('login.what')}</p>
      <p class="second">${t('login.where1')} <code>energy-server token</code> ${t('login.where2')} <code>script/run</code> ${t('login.where3')}</p>
      <form @submit=${this.submit}>
        <label for="token">${t('login.token')}</label>
        <input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false" aria-invalid=${failed ? 'true' : 'false'} aria-describedby="failed" />
        <p class="failed" id="failed" role="alert">${failed || nothing}</p>
        <button class="button" ?disabled=${this.busy}>${t('login.submit')}</button>
      </form>
    </main>`;
  }

  override firstUpdated(): void {
    this.input?.focus();
  }

  private get input(): HTMLInputElement | null {
    return this.renderRoot.querySelector('input');
  }

  private words(failure: ApiFailure): string {
    if (failure instanceof UnauthorizedError) return t('login.wrong');
    if (failure instanceof AnswerError && failure.status === TOO_MANY) return t('login.tooMany');
    return t('login.failed', { message: failure.message });
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const token = this.input?.value.trim() ?? '';
    if (token === '') return;
    this.busy = true;
    try {
      await signIn(token);
      this.dispatchEvent(new Event('signed-in'));
    } catch (error) {
      if (!isApiFailure(error)) throw error;
      this.failure = error;
      this.input?.select();
    } finally {
      this.busy = false;
    }
  }
}
