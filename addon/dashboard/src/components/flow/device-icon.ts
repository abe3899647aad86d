import {
  mdiDishwasher,
  mdiDotsHorizontal,
  mdiEvStation,
  mdiFan,
  mdiFridge,
  mdiHeatPump,
  mdiHelpCircleOutline,
  mdiLightbulb,
  mdiPowerPlug,
  mdiRadiator,
  mdiServerNetwork,
  mdiSnowflake,
  mdiSofa,
  mdiStove,
  mdiTelevision,
  mdiTumbleDryer,
  mdiWashingMachine,
  mdiWaterBoiler,
} from '@mdi/js';

/** The first pattern that the device's name contains decides; the icon only helps to find the name. */
const BY_NAME: readonly [RegExp, string][] = [
  [/\bev\b|charger|wallbox|car\b/i, mdiEvStation],
  [/heat ?pump/i, mdiHeatPump],
  [/dish/i, mdiDishwasher],
  [/wash|laundry/i, mdiWashingMachine],
  [/dryer/i, mdiTumbleDryer],
  [/fridge|freez|kitchen/i, mdiFridge],
  [/oven|stove|hob|cook/i, mdiStove],
  [/server|network|router|nas\b|\bit\b|computer/i, mdiServerNetwork],
  [/boiler|hot water|water heat/i, mdiWaterBoiler],
  [/air ?con|cool/i, mdiSnowflake],
  [/heat|radiator/i, mdiRadiator],
  [/fan|ventil/i, mdiFan],
  [/light|lamp/i, mdiLightbulb],
  [/tv\b|television|media/i, mdiTelevision],
  [/living|sofa|room/i, mdiSofa],
];

export function deviceIcon(id: string, name: string | null): string {
  if (id === 'others') return mdiDotsHorizontal;
  if (id === 'untracked') return mdiHelpCircleOutline;
  return BY_NAME.find(([pattern]) => pattern.test(name ?? ''))?.[1] ?? mdiPowerPlug;
}
