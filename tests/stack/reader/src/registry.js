// The registries that the libraries leave empty for the application to fill.
import {
  FieldConfigOptionsRegistry,
  booleanOverrideProcessor,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from "@grafana/data";

const STANDARD = {
  displayName: displayNameOverrideProcessor,
  unit: unitOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  color: identityOverrideProcessor,
  noValue: stringOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor,
  description: stringOverrideProcessor,
  filterable: booleanOverrideProcessor,
};
const CUSTOM = [
  ...["align", "width", "minWidth", "cellOptions", "filterable", "inspect", "wrapText", "wrapHeaderText", "drawStyle", "fillOpacity"],
  ...["lineWidth", "lineStyle", "lineInterpolation", "showPoints", "spanNulls", "stacking", "axisPlacement", "hidden"],
  ...["axisLabel", "axisWidth", "axisSoftMin", "axisSoftMax", "axisBorderShow", "axisColorMode", "hideFrom", "barAlignment"],
  ...["insertNulls", "pointSize", "gradientMode", "thresholdsStyle", "scaleDistribution", "barWidthFactor"],
];

const option = (id, path, process, isCustom) => ({
  ...{ id, path, isCustom, process, override: process, name: id, settings: {} },
  ...{ shouldApply: () => true, getItemsCount: (value) => (value ? 1 : 0) },
});

standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()].map((transformation) => ({
    ...{ id: transformation.id, transformation: () => transformation, name: transformation.name, editor: () => null, imageDark: "", imageLight: "" },
  })),
);

export const registry = new FieldConfigOptionsRegistry(() => [
  ...Object.entries(STANDARD).map(([id, process]) => ({
    ...option(id, id, process, false),
    settings: { expandTemplateVars: id === "displayName" },
  })),
  ...CUSTOM.map((name) => option(`custom.${name}`, name, identityOverrideProcessor, true)),
]);
