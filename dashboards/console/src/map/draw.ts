import { FAULT, type Fleet, LIT, OFF, UNKNOWN } from '../data/fleet';
import { colour } from '../theme';
import type { Points, Viewport } from './viewport';

// Every state has a shape of its own besides its colour: lit a disc with a glow, off a small square, unknown a hollow ring,
// fault a triangle. Shapes are drawn once into sprites, so that 50,000 lamps are 50,000 small copies.
export interface Palette {
  lit: string;
  glow: string;
  off: string;
  unknown: string;
  fault: string;
  selected: string;
  dimmed: string;
}

export const palette = (): Palette => ({
  lit: colour('--lamp-lit'),
  glow: colour('--lamp-glow'),
  off: colour('--lamp-off'),
  unknown: colour('--lamp-unknown'),
  fault: colour('--lamp-fault'),
  selected: colour('--accent'),
  dimmed: colour('--lamp-dimmed'),
});

const LEVELS = 5;
const MANY = 40;

interface Sprites {
  size: number;
  lit: HTMLCanvasElement[];
  off: HTMLCanvasElement;
  unknown: HTMLCanvasElement;
  fault: HTMLCanvasElement;
  dimmed: HTMLCanvasElement;
}

type Shape = (context: CanvasRenderingContext2D, middle: number, radius: number) => void;

function sprite(size: number, shape: Shape, radius: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = size;
  canvas.height = size;
  shape(canvas.getContext('2d') as CanvasRenderingContext2D, size / 2, radius);
  return canvas;
}

function disc(fill: string, glow: string, strength: number): Shape {
  return (context, middle, radius) => {
    const halo = context.createRadialGradient(middle, middle, radius * 0.5, middle, middle, middle);
    halo.addColorStop(0, glow);
    halo.addColorStop(1, faded(glow));
    context.globalAlpha = 0.15 + 0.6 * strength;
    context.fillStyle = halo;
    context.fillRect(0, 0, middle * 2, middle * 2);
    context.globalAlpha = 0.55 + 0.45 * strength;
    context.fillStyle = fill;
    context.beginPath();
    context.arc(middle, middle, radius * (0.7 + 0.3 * strength), 0, 2 * Math.PI);
    context.fill();
  };
}

// The same colour, wholly transparent: fading to `transparent` would pass through grey.
const faded = (rgb: string): string => rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, 0)');

const square =
  (fill: string): Shape =>
  (context, middle, radius) => {
    context.fillStyle = fill;
    context.fillRect(middle - radius * 0.7, middle - radius * 0.7, radius * 1.4, radius * 1.4);
  };

const ring =
  (stroke: string): Shape =>
  (context, middle, radius) => {
    context.strokeStyle = stroke;
    context.lineWidth = Math.max(1, radius * 0.42);
    context.beginPath();
    context.arc(middle, middle, radius * 0.78, 0, 2 * Math.PI);
    context.stroke();
  };

const triangle =
  (fill: string): Shape =>
  (context, middle, radius) => {
    context.fillStyle = fill;
    context.beginPath();
    context.moveTo(middle, middle - radius * 1.25);
    context.lineTo(middle + radius * 1.15, middle + radius * 0.85);
    context.lineTo(middle - radius * 1.15, middle + radius * 0.85);
    context.fill();
  };

function makeSprites(colours: Palette, radius: number): Sprites {
  const size = Math.ceil(radius * 5);
  return {
    size,
    lit: Array.from({ length: LEVELS }, (_, step) =>
      sprite(size, disc(colours.lit, colours.glow, (step + 1) / LEVELS), radius),
    ),
    off: sprite(size, square(colours.off), radius),
    unknown: sprite(size, ring(colours.unknown), radius),
    fault: sprite(size, triangle(colours.fault), radius * 1.2),
    dimmed: sprite(size, square(colours.dimmed), radius * 0.6),
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
  private sprites: Sprites | null = null;
  private radius = 0;

  constructor(
    private readonly colours: Palette,
    private readonly ratio: number,
  ) {}

  draw(context: CanvasRenderingContext2D, width: number, height: number, scene: Scene): void {
    const radius = radiusFor(scene.view.scale) * this.ratio;
    if (!this.sprites || radius !== this.radius) {
      this.radius = radius;
      this.sprites = makeSprites(this.colours, radius);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!scene.everything) this.stamp(context, scene, scene.fleet.ids.keys(), () => this.sprites!.dimmed);
    // Normal lamps first, so that what needs eyes lies on top.
    this.stamp(context, scene, scene.found, (row) => this.calm(scene.fleet, row));
    this.stamp(context, scene, scene.found, (row) => (scene.fleet.state[row] === FAULT ? this.sprites!.fault : null));
    this.mark(context, scene);
  }

  private calm(fleet: Fleet, row: number): HTMLCanvasElement | null {
    const sprites = this.sprites as Sprites;
    switch (fleet.state[row]) {
      case LIT:
        return sprites.lit[Math.min(LEVELS - 1, Math.floor(((fleet.level[row] as number) / 100) * LEVELS))] ?? sprites.lit[4]!;
      case OFF:
        return sprites.off;
      case UNKNOWN:
        return sprites.unknown;
      default:
        return null;
    }
  }

  private stamp(
    context: CanvasRenderingContext2D,
    { points, view }: Scene,
    rows: Iterable<number>,
    pick: (row: number) => HTMLCanvasElement | null,
  ): void {
    const { size } = this.sprites as Sprites;
    const scale = view.scale * this.ratio;
    const left = view.x * this.ratio - size / 2;
    const top = view.y * this.ratio - size / 2;
    const [right, bottom] = [context.canvas.width, context.canvas.height];
    for (const row of rows) {
      const x = (points.x[row] as number) * scale + left;
      const y = (points.y[row] as number) * scale + top;
      if (!(x > -size && y > -size && x < right && y < bottom)) continue; // also where the position is unknown
      const image = pick(row);
      if (image) context.drawImage(image, Math.round(x), Math.round(y));
    }
  }

  private mark(context: CanvasRenderingContext2D, { points, view, selected }: Scene): void {
    context.strokeStyle = this.colours.selected;
    const few = selected.length < MANY;
    context.lineWidth = (few ? 2 : 1) * this.ratio;
    const reach = this.radius + (few ? 3 : 1) * this.ratio;
    context.beginPath();
    for (const row of selected) {
      const x = ((points.x[row] as number) * view.scale + view.x) * this.ratio;
      const y = ((points.y[row] as number) * view.scale + view.y) * this.ratio;
      context.moveTo(x + reach, y);
      context.arc(x, y, reach, 0, 2 * Math.PI);
    }
    context.stroke();
  }
}

// Small from afar, a finger's reach from near; in half pixels, so that sprites are rarely remade.
function radiusFor(scale: number): number {
  return Math.round(2 * Math.min(9, Math.max(1.5, 1 + 10 * scale))) / 2;
}
