import { FAULT, type Fleet, LIT, OFF, UNKNOWN } from '../data/fleet';
import { colour } from '../theme';
import { packed, Raster, type Stamp, stamp } from './raster';
import type { Points, Viewport } from './viewport';

// Every state has a shape of its own besides its colour: lit a disc with a glow, off a small square, unknown a hollow ring,
// fault a triangle.
export interface Palette {
  ground: string;
  lit: string;
  glow: string;
  off: string;
  unknown: string;
  fault: string;
  selected: string;
  dimmed: string;
}

export const palette = (): Palette => ({
  ground: colour('--map'),
  lit: colour('--lamp-lit'),
  glow: colour('--lamp-glow'),
  off: colour('--lamp-off'),
  unknown: colour('--lamp-unknown'),
  fault: colour('--lamp-fault'),
  selected: colour('--accent'),
  dimmed: colour('--lamp-dimmed'),
});

const LEVELS = 5;
const MANY_SELECTED = 40;
const MANY_LAMPS = 5_000; // glows would only merge into one

interface Stamps {
  lit: Stamp[];
  off: Stamp;
  unknown: Stamp;
  fault: Stamp;
  dimmed: Stamp;
  selected: Stamp;
  selectedMany: Stamp;
}

type Shape = (context: CanvasRenderingContext2D, middle: number) => void;

function disc(fill: string, glow: string | null, radius: number, strength: number): Shape {
  return (context, middle) => {
    if (glow) {
      const halo = context.createRadialGradient(middle, middle, radius * 0.5, middle, middle, middle);
      halo.addColorStop(0, glow);
      halo.addColorStop(1, faded(glow));
      context.globalAlpha = 0.12 + 0.6 * strength;
      context.fillStyle = halo;
      context.fillRect(0, 0, middle * 2, middle * 2);
      context.globalAlpha = 1;
    }
    context.fillStyle = fill;
    context.beginPath();
    context.arc(middle, middle, radius * (0.65 + 0.35 * strength), 0, 2 * Math.PI);
    context.fill();
  };
}

// The same colour, wholly transparent: fading to `transparent` would pass through grey.
const faded = (rgb: string): string => rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, 0)');

const square =
  (fill: string, half: number): Shape =>
  (context, middle) => {
    context.fillStyle = fill;
    context.fillRect(middle - half, middle - half, 2 * half, 2 * half);
  };

const ring =
  (stroke: string, radius: number, width: number): Shape =>
  (context, middle) => {
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.beginPath();
    context.arc(middle, middle, radius, 0, 2 * Math.PI);
    context.stroke();
  };

// A ring whose middle stays empty over whatever lies below it.
const hollow =
  (stroke: string, ground: string, radius: number): Shape =>
  (context, middle) => {
    disc(ground, null, radius, 1)(context, middle);
    ring(stroke, radius * 0.78, Math.max(1, radius * 0.42))(context, middle);
  };

const triangle =
  (fill: string, edge: string, radius: number): Shape =>
  (context, middle) => {
    context.fillStyle = fill;
    context.strokeStyle = edge;
    context.lineWidth = radius * 0.5;
    context.beginPath();
    context.moveTo(middle, middle - radius * 1.25);
    context.lineTo(middle + radius * 1.15, middle + radius * 0.85);
    context.lineTo(middle - radius * 1.15, middle + radius * 0.85);
    context.closePath();
    context.stroke();
    context.fill();
  };

function makeStamps(colours: Palette, radius: number, ratio: number, glowing: boolean): Stamps {
  const plain = Math.ceil(radius * 2.6) + 2;
  const glow = glowing ? colours.glow : null;
  const few = radius + 3 * ratio;
  const striking = Math.max(radius * 1.2, 4.5 * ratio); // to be found among many
  return {
    lit: Array.from({ length: LEVELS }, (_, step) =>
      stamp(glowing ? Math.ceil(radius * 5) : plain, disc(colours.lit, glow, radius, (step + 1) / LEVELS)),
    ),
    off: stamp(plain, square(colours.off, radius * 0.7)),
    unknown: stamp(plain + Math.ceil(4 * ratio), hollow(colours.unknown, colours.ground, Math.max(radius, 3.5 * ratio))),
    fault: stamp(Math.ceil(4 * striking), triangle(colours.fault, colours.ground, striking)),
    dimmed: stamp(plain, square(colours.dimmed, radius * 0.45)),
    selected: stamp(Math.ceil(2 * few + 4 * ratio), ring(colours.selected, few, 2 * ratio)),
    selectedMany: stamp(plain + Math.ceil(4 * ratio), ring(colours.selected, radius + ratio, ratio)),
  };
}

export interface Scene {
  fleet: Fleet;
  points: Points;
  view: Viewport;
  found: readonly number[];
  everything: boolean; // false: a filter is on, and what it leaves out is drawn faintly
  selected: readonly number[];
}

export class Painter {
  private raster: Raster | null = null;
  private stamps: Stamps | null = null;
  private made = '';

  constructor(
    private readonly colours: Palette,
    private readonly ratio: number,
  ) {}

  draw(context: CanvasRenderingContext2D, width: number, height: number, scene: Scene): void {
    if (this.raster?.width !== width || this.raster.height !== height) this.raster = new Raster(width, height);
    const { raster } = this;
    const stamps = this.stampsFor(scene);
    raster.fill(packed(this.colours.ground));
    if (!scene.everything) this.each(raster, scene, scene.fleet.ids.keys(), () => stamps.dimmed);
    // Normal lamps first, so that what needs eyes lies on top.
    this.each(raster, scene, scene.found, (row) => calm(stamps, scene.fleet, row));
    this.each(raster, scene, scene.found, (row) => strange(stamps, scene.fleet, row));
    const mark = scene.selected.length < MANY_SELECTED ? stamps.selected : stamps.selectedMany;
    this.each(raster, scene, scene.selected, () => mark);
    context.putImageData(raster.image, 0, 0);
  }

  private stampsFor({ view, fleet }: Scene): Stamps {
    const radius = radiusFor(view.scale) * this.ratio;
    const glowing = fleet.ids.length <= MANY_LAMPS || radius >= 4 * this.ratio;
    const wanted = `${radius} ${glowing}`;
    if (!this.stamps || this.made !== wanted) {
      this.stamps = makeStamps(this.colours, radius, this.ratio, glowing);
      this.made = wanted;
    }
    return this.stamps;
  }

  private each(raster: Raster, { points, view }: Scene, rows: Iterable<number>, pick: (row: number) => Stamp | null): void {
    const scale = view.scale * this.ratio;
    const [left, top] = [view.x * this.ratio, view.y * this.ratio];
    const reach = 12 * this.ratio;
    for (const row of rows) {
      const x = (points.x[row] as number) * scale + left;
      const y = (points.y[row] as number) * scale + top;
      // Also leaves out whose position is unknown: no comparison with NaN holds.
      if (!(x > -reach && y > -reach && x < raster.width + reach && y < raster.height + reach)) continue;
      const found = pick(row);
      if (found) raster.put(found, x, y);
    }
  }
}

function calm(stamps: Stamps, fleet: Fleet, row: number): Stamp | null {
  switch (fleet.state[row]) {
    case LIT:
      return stamps.lit[Math.min(LEVELS - 1, Math.floor(((fleet.level[row] as number) / 100) * LEVELS))] ?? stamps.lit[LEVELS - 1]!;
    case OFF:
      return stamps.off;
    default:
      return null;
  }
}

function strange(stamps: Stamps, fleet: Fleet, row: number): Stamp | null {
  switch (fleet.state[row]) {
    case UNKNOWN:
      return stamps.unknown;
    case FAULT:
      return stamps.fault;
    default:
      return null;
  }
}

// Small from afar, a finger's reach from near; in half pixels, so that stamps are rarely made anew.
function radiusFor(scale: number): number {
  return Math.round(2 * Math.min(9, Math.max(1.5, 1 + 10 * scale))) / 2;
}
