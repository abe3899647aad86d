import { LitElement } from 'lit';
import { customElement } from 'lit/decorators.js';

@customElement('ed-status-view')
export class EdStatusView extends LitElement {}
