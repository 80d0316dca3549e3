// A local flat projection: metres east and south of the centre, then scaled and moved to the canvas.
const METRES_PER_DEGREE = 111_320;

export interface Box {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

export interface Points {
  x: Float32Array; // metres east of the middle; NaN where the position is unknown
  y: Float32Array; // metres south of the middle
  box: Box;
}

export function project(latitude: Float64Array, longitude: Float64Array): Points {
  const middle = { latitude: mean(latitude), longitude: mean(longitude) };
  const east = METRES_PER_DEGREE * Math.cos((middle.latitude * Math.PI) / 180);
  const x = Float32Array.from(longitude, (value) => (value - middle.longitude) * east);
  const y = Float32Array.from(latitude, (value) => (middle.latitude - value) * METRES_PER_DEGREE);
  return { x, y, box: boxOf(x, y) };
}

function mean(values: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === value) {
      sum += value;
      count += 1;
    }
  }
  return count ? sum / count : 0;
}

function boxOf(x: Float32Array, y: Float32Array): Box {
  const box = { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
  for (let i = 0; i < x.length; i += 1) {
    const [px, py] = [x[i] as number, y[i] as number];
    if (px !== px || py !== py) continue;
    if (px < box.minX) box.minX = px;
    if (px > box.maxX) box.maxX = px;
    if (py < box.minY) box.minY = py;
    if (py > box.maxY) box.maxY = py;
  }
  return box.minX === Infinity ? { minX: -100, minY: -100, maxX: 100, maxY: 100 } : box;
}

export interface Viewport {
  scale: number; // pixels per metre
  x: number; // pixels of the middle from the canvas's left
  y: number;
}

// What the buttons above and the legend below cover stays free.
const SIDE_PX = 28;
const ABOVE_PX = 60;
const BELOW_PX = 60;

export function fit(box: Box, width: number, height: number): Viewport {
  const spanX = Math.max(box.maxX - box.minX, 50);
  const spanY = Math.max(box.maxY - box.minY, 50);
  const scale = Math.max(1e-4, Math.min((width - 2 * SIDE_PX) / spanX, (height - ABOVE_PX - BELOW_PX) / spanY));
  return {
    scale,
    x: width / 2 - (scale * (box.minX + box.maxX)) / 2,
    y: (height + ABOVE_PX - BELOW_PX) / 2 - (scale * (box.minY + box.maxY)) / 2,
  };
}

export function zoomAt(view: Viewport, factor: number, px: number, py: number): Viewport {
  const scale = Math.min(20, Math.max(0.0005, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: px - (px - view.x) * by, y: py - (py - view.y) * by };
}

export const moved = (view: Viewport, dx: number, dy: number): Viewport => ({ ...view, x: view.x + dx, y: view.y + dy });

// The point nearest to a pixel within `reach` pixels, or -1.
export function nearest(points: Points, rows: Iterable<number>, view: Viewport, px: number, py: number, reach: number): number {
  let best = -1;
  let least = reach * reach;
  for (const row of rows) {
    const dx = (points.x[row] as number) * view.scale + view.x - px;
    const dy = (points.y[row] as number) * view.scale + view.y - py;
    const distance = dx * dx + dy * dy;
    if (distance <= least) {
      least = distance;
      best = row;
    }
  }
  return best;
}

export function within(points: Points, rows: Iterable<number>, view: Viewport, box: Box): number[] {
  const inside: number[] = [];
  for (const row of rows) {
    const px = (points.x[row] as number) * view.scale + view.x;
    const py = (points.y[row] as number) * view.scale + view.y;
    if (px >= box.minX && px <= box.maxX && py >= box.minY && py <= box.maxY) inside.push(row);
  }
  return inside;
}
