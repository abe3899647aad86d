/** How a price per kWh is printed: in the currency's hundredth where it has a customary name, else as it comes. */

export interface PriceUnit {
  unit: string;
  factor: number;
  decimals: number;
}

const HUNDREDTHS: Record<string, string> = { EUR: 'ct', USD: '¢', CAD: '¢', AUD: 'c', NZD: 'c', GBP: 'p', CHF: 'Rp.', SEK: 'öre', NOK: 'øre', DKK: 'øre', ZAR: 'c', '€': 'ct', $: '¢', '£': 'p' };

export function priceUnit(unit: string): PriceUnit {
  const [currency = '', per = 'kWh'] = unit.split('/');
  const hundredth = HUNDREDTHS[currency];
  return hundredth ? { unit: `${hundredth}/${per}`, factor: 100, decimals: 1 } : { unit, factor: 1, decimals: 3 };
}
