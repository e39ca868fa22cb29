// The words under a picture over time: dates and hours as Grafana writes them in the stack (docker-compose.yml).
import { dateTimeFormat, systemDateFormats } from "@grafana/data";

export const FORMATS = { second: "HH:mm:ss", minute: "HH:mm", hour: "MM-DD HH:mm", day: "MM-DD", month: "YYYY-MM", year: "YYYY" };
const LETTER = 7;

systemDateFormats.update({ fullDate: "YYYY-MM-DD HH:mm:ss", interval: FORMATS, useBrowserLocale: false });

// Words of `letters` under a line of `width`: every how many of `count` there is room for one, and whether it is cut off.
export const every = (count, width, letters) => Math.max(1, Math.ceil((count * (letters * LETTER + 12)) / width));
export const isCut = (at, width, letters) => at - (letters * LETTER) / 2 < 0 || at + (letters * LETTER) / 2 > width;

// Round moments of the zone of the board, each where it is; none is cut off at an end.
export function ticks({ from, to }, timeZone, left, width) {
  const [begin, end] = [from.valueOf(), to.valueOf()];
  const hours = [1, 3, 6, 12, 24, 48, 96, 168, 336, 672].find((one) => (width - left) / ((end - begin) / 3.6e6 / one) > 100) ?? 1344;
  const format = hours < 24 ? FORMATS.hour : FORMATS.day;
  const hour = (at) => Number(dateTimeFormat(at, { timeZone, format: "H" }));
  const found = [];
  for (let at = Math.ceil(begin / 3.6e6) * 3.6e6; at <= end; at += 3.6e6) {
    const last = found.at(-1);
    if (hour(at) % Math.min(hours, 24) || (last && at - last.time < (hours - 2) * 3.6e6)) continue;
    const x = left + ((width - left) * (at - begin)) / (end - begin);
    found.push({ time: at, x, text: dateTimeFormat(at, { timeZone, format }) });
  }
  return found.filter(({ x, text }) => !isCut(x, width, text.length));
}
