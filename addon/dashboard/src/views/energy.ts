import { LitElement } from 'lit';
import { customElement } from 'lit/decorators.js';

@customElement('ed-energy-view')
export class EdEnergyView extends LitElement {}
