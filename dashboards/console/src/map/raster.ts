// Pictures of a few pixels stamped into a picture by hand: for tens of thousands of lamps this takes a few milliseconds on
// any machine, where a canvas without a graphics card needs hundreds.
export interface Stamp {
  size: number;
  colour: Uint32Array; // as ImageData keeps it: alpha, blue, green, red from the high byte down
  alpha: Uint8Array;
}

const RED_BLUE = 0xff00ff;
const GREEN = 0x00ff00;
const OPAQUE = 0xff000000;

// A stamp from what `shape` draws around the middle of a small canvas.
export function stamp(size: number, shape: (context: CanvasRenderingContext2D, middle: number) => void): Stamp {
  const canvas = document.createElement('canvas');
  canvas.width = size;
  canvas.height = size;
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  shape(context, size / 2);
  const { data } = context.getImageData(0, 0, size, size);
  return {
    size,
    colour: new Uint32Array(data.buffer).map((pixel) => (pixel | OPAQUE) >>> 0),
    alpha: Uint8Array.from({ length: size * size }, (_, i) => data[4 * i + 3] as number),
  };
}

export class Raster {
  readonly image: ImageData;
  private readonly pixels: Uint32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  fill(colour: number): void {
    this.pixels.fill(colour);
  }

  // Stamps with the middle at (x, y); what lies outside is left out.
  put({ size, colour, alpha }: Stamp, x: number, y: number): void {
    const { width, height, pixels } = this;
    const left = Math.round(x - size / 2);
    const top = Math.round(y - size / 2);
    const fromU = Math.max(0, -left);
    const toU = Math.min(size, width - left);
    const toV = Math.min(size, height - top);
    for (let v = Math.max(0, -top); v < toV; v += 1) {
      const from = v * size;
      const to = (top + v) * width + left;
      for (let u = fromU; u < toU; u += 1) {
        const a = alpha[from + u] as number;
        if (a === 0) continue;
        const over = colour[from + u] as number;
        pixels[to + u] = a === 255 ? over : mix(pixels[to + u] as number, over, a);
      }
    }
  }
}

// Red and blue are mixed in one multiplication; they have eight free bits each between them.
function mix(under: number, over: number, alpha: number): number {
  const rest = 255 - alpha;
  const redBlue = (((under & RED_BLUE) * rest + (over & RED_BLUE) * alpha) >>> 8) & RED_BLUE;
  const green = (((under & GREEN) * rest + (over & GREEN) * alpha) >>> 8) & GREEN;
  return (OPAQUE | redBlue | green) >>> 0;
}

// A colour as CSS writes it, in the order of ImageData's bytes.
export function packed(rgb: string): number {
  const [red = 0, green = 0, blue = 0] = (rgb.match(/[\d.]+/g) ?? []).map(Number);
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
}
