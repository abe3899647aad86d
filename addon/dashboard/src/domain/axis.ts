/** Scales of value axes: 2 to 4 steps, from zero. */

export interface Scale {
  max: number;
  step: number;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest tidy scale of at most `steps` steps that holds `highest`. */
export function scaleFor(highest: number, steps: number, smallest = 0.1): Scale {
  const top = Math.max(highest, smallest);
  const rough = top / steps;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const factor = STEPS.find((candidate) => candidate * magnitude * steps >= top * (1 - 1e-9)) ?? 10;
  const step = Number((factor * magnitude).toPrecision(6));
  return { step, max: Number((step * Math.ceil(top / step - 1e-9)).toPrecision(6)) };
}

/** Keeps the former scale if the new values fit and use at least half of it, so that stepping does not rescale. */
export function keepScale(former: Scale | null, highest: number, steps: number): Scale {
  return former && highest <= former.max && highest >= former.max / 2 ? former : scaleFor(highest, steps);
}
