/** The part of ECharts that the charts use. Loaded on the first chart only. */
import { CustomChart, LineChart, SankeyChart, type CustomSeriesOption, type LineSeriesOption, type SankeySeriesOption } from 'echarts/charts';
import { GraphicComponent, GridComponent, type GraphicComponentOption, type GridComponentOption } from 'echarts/components';
import { init, use, type ComposeOption, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([CanvasRenderer, GridComponent, GraphicComponent, LineChart, CustomChart, SankeyChart]);

export type ChartOption = ComposeOption<LineSeriesOption | CustomSeriesOption | SankeySeriesOption | GridComponentOption | GraphicComponentOption>;
export { init, type ECharts };
