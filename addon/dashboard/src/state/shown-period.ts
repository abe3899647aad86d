/** What the Energy view shows of a period, made of the server's answer before a click asks for it. Pure. */
import type { Energy } from '../api/types';
import { fedOf, type Fed } from '../domain/fed';
import { biggestUses, figuresOf, type Figures } from '../domain/figures';
import type { Formats } from '../domain/format';
import { keyNumbersOf, type KeyNumber } from '../domain/key-numbers';
import { periodShort } from '../domain/period-names';
import { highestOf, joinSteps, lengthOf, stepsOf, type Steps } from '../domain/steps';
import { HOUR_US } from '../domain/time';
import { volumeOf, type Volume } from '../domain/volume';
import type { Compared, PeriodEnergy } from './period-energy';

/** What it depends on besides the answer and the time. */
export interface Showing {
  narrow: boolean;
  formats: Formats;
  /** When anything was recorded first, or null. */
  sinceUs: number | null;
}

export interface ShownPeriod {
  of: PeriodEnergy;
  showing: Showing;
  steps: Steps;
  /** The highest value of the chart. */
  highest: number;
  figures: Figures;
  was: Figures | null;
  numbers: KeyNumber[];
  fed: Fed;
  /** What devices are drawn of: never shorter than hours. */
  coarse: Energy;
  gas: Volume | null;
  water: Volume | null;
}

const coarseOf = (energy: Energy, nowUs: number): Energy => (energy.resolution === '5min' ? { ...joinSteps(energy, 12, nowUs), resolution: 'hour' } : energy);

/** A period that begins before all records is no measure for another. */
export const isCut = ({ span }: Compared, sinceUs: number | null): boolean => sinceUs !== null && span.startUs < sinceUs - HOUR_US;

export function shownPeriod(of: PeriodEnergy, showing: Showing, nowUs: number): ShownPeriod {
  const { narrow, formats, sinceUs } = showing;
  const { energy, asked } = of;
  const uses = biggestUses(energy);
  const steps = stepsOf(energy, uses, lengthOf(energy, narrow), nowUs, sinceUs ?? 0);
  const coarse = coarseOf(energy, nowUs);
  const figures = figuresOf(coarse, uses);
  const compared = of.was && !isCut(of.was, sinceUs) ? figuresOf(of.was.energy, uses) : null;
  const was = compared?.known ? compared : null;
  const wasName = of.was ? periodShort(of.was.period, asked.period, formats) : '';
  const volume = (which: 'gas' | 'water'): Volume | null => volumeOf(energy, which, narrow, nowUs, sinceUs ?? 0);
  return {
    of,
    showing,
    steps,
    highest: highestOf(steps),
    figures,
    was,
    numbers: keyNumbersOf(energy, figures, was, wasName, formats),
    fed: fedOf(energy, figures),
    coarse,
    gas: volume('gas'),
    water: volume('water'),
  };
}

/** Makes each once. What it depends on seldom changes: then it is made anew when it is to be shown. */
export class ShownPeriods {
  private readonly made = new WeakMap<PeriodEnergy, ShownPeriod>();

  of(of: PeriodEnergy, showing: Showing, nowUs: number): ShownPeriod {
    const made = this.made.get(of);
    const { narrow, formats, sinceUs } = showing;
    if (made?.showing.narrow === narrow && made.showing.formats === formats && made.showing.sinceUs === sinceUs) return made;
    const shown = shownPeriod(of, showing, nowUs);
    this.made.set(of, shown);
    return shown;
  }
}
