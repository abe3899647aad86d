/** A printed number that changes in place: at once, then at most twice a second. In the light DOM, so that it can be read as text. */
import { LitElement, type TemplateResult, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';

const INTERVAL_MS = 500;

@customElement('ed-live-number')
export class EdLiveNumber extends LitElement {
  @property() text = '';

  private paintedAt = -INTERVAL_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  override shouldUpdate(): boolean {
    if (!this.hasUpdated) return true;
    const wait = this.paintedAt + INTERVAL_MS - performance.now();
    if (wait <= 0) return true;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.requestUpdate();
    }, wait);
    return false;
  }

  override render(): TemplateResult {
    this.paintedAt = performance.now();
    return html`${this.text}`;
  }
}
