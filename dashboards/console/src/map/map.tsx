import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { lamps, revision, totals } from '../data/fleet';
import { filtering, found, select, selected, selectedRows, toggle } from '../data/selection';
import { figure } from '../format';
import { words } from '../i18n';
import { themeRevision } from '../theme';
import { Legend } from '../views/legend';
import { Painter, palette } from './draw';
import { type Box, fit, moved, nearest, project, type Viewport, within, zoomAt } from './viewport';

const REACH_PX = 14;
const STEP_PX = 60;

interface Drag {
  x: number;
  y: number;
  far: boolean;
}

export function LampMap() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const view = useSignal<Viewport | null>(null);
  const selecting = useSignal(false);
  const rectangle = useSignal<Box | null>(null);
  const drag = useRef<Drag | null>(null);
  const pinch = useRef(new Map<number, { x: number; y: number }>());
  const painter = useRef<Painter | null>(null);
  const points = useComputed(() => project(lamps.value.latitude, lamps.value.longitude));
  const t = words.value;

  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = (entry as ResizeObserverEntry).contentRect;
      size.value = { width, height };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Shows all when lamps come, when the canvas changes, or when asked; then stays where the user puts it.
  const showAll = (): void => {
    const { width, height } = size.value;
    if (width) view.value = fit(points.value.box, width, height);
  };
  useSignalEffect(() => {
    void points.value;
    showAll();
  });

  useSignalEffect(() => {
    void themeRevision.value;
    painter.current = new Painter(palette(), devicePixelRatio || 1);
  });

  useSignalEffect(() => {
    void [revision.value, themeRevision.value, selected.value];
    const { width, height } = size.value;
    const shown = view.value;
    const scene = {
      fleet: lamps.value,
      points: points.value,
      found: found.value,
      everything: !filtering.value,
      selected: selectedRows.value,
    };
    const frame = requestAnimationFrame(() => {
      const element = canvas.current;
      if (!element || !shown || !width) return;
      const ratio = devicePixelRatio || 1;
      const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (element.width !== wide || element.height !== high) [element.width, element.height] = [wide, high];
      painter.current?.draw(element.getContext('2d') as CanvasRenderingContext2D, wide, high, { ...scene, view: shown });
      element.dataset.drawn = String(scene.found.length);
    });
    return () => cancelAnimationFrame(frame);
  });

  const at = (event: PointerEvent | WheelEvent): { x: number; y: number } => ({ x: event.offsetX, y: event.offsetY });

  const down = (event: PointerEvent): void => {
    canvas.current?.setPointerCapture(event.pointerId);
    pinch.current.set(event.pointerId, at(event));
    drag.current = { ...at(event), far: false };
  };

  const move = (event: PointerEvent): void => {
    const from = drag.current;
    const shown = view.value;
    if (!from || !shown) return;
    const to = at(event);
    if (pinch.current.size === 2) {
      pinched(event.pointerId, to, shown);
      return;
    }
    if (!from.far && Math.hypot(to.x - from.x, to.y - from.y) < 4) return;
    if (selecting.value || event.shiftKey) {
      from.far = true;
      rectangle.value = boxOf(from, to);
    } else {
      view.value = moved(shown, to.x - from.x, to.y - from.y);
      drag.current = { ...to, far: true };
    }
  };

  const pinched = (pointer: number, to: { x: number; y: number }, shown: Viewport): void => {
    const other = [...pinch.current].find(([id]) => id !== pointer)?.[1];
    const before = pinch.current.get(pointer);
    if (!other || !before) return;
    const factor = Math.hypot(to.x - other.x, to.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    view.value = zoomAt(shown, factor, (to.x + other.x) / 2, (to.y + other.y) / 2);
    pinch.current.set(pointer, to);
    if (drag.current) drag.current.far = true;
  };

  const up = (event: PointerEvent): void => {
    const from = drag.current;
    const shown = view.value;
    pinch.current.delete(event.pointerId);
    drag.current = null;
    if (!from || !shown || event.type === 'pointercancel') return;
    const { ids } = lamps.value;
    if (rectangle.value) {
      select(within(points.value, found.value, shown, rectangle.value).map((row) => ids[row] as string));
      rectangle.value = null;
      selecting.value = false;
    } else if (!from.far) {
      const row = nearest(points.value, found.value, shown, from.x, from.y, REACH_PX);
      if (row < 0) select([]);
      else if (event.ctrlKey || event.metaKey) toggle(ids[row] as string);
      else select([ids[row] as string]);
    }
  };

  const zoom = (factor: number): void => {
    const { width, height } = size.value;
    if (view.value) view.value = zoomAt(view.value, factor, width / 2, height / 2);
  };

  const keyed = (event: KeyboardEvent): void => {
    const shown = view.value;
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way && shown) view.value = moved(shown, way[0]! * STEP_PX, way[1]! * STEP_PX);
    else if (event.key === '+' || event.key === '=') zoom(1.5);
    else if (event.key === '-') zoom(1 / 1.5);
    else if (event.key === '0') showAll();
    else return;
    event.preventDefault();
  };

  const { total, count } = totals.value;
  return (
    <div class={`map ${selecting.value ? 'selecting' : ''}`}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={t.mapLabel(figure(total), figure(count[2]), figure(count[0]))}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onKeyDown={keyed}
        onWheel={(event) => {
          event.preventDefault();
          const { x, y } = at(event);
          if (view.value) view.value = zoomAt(view.value, Math.exp(-event.deltaY / 400), x, y);
        }}
      />
      {rectangle.value && <Rubber box={rectangle.value} />}
      <div class="map-tools">
        <button type="button" class="tool" title={t.zoomIn} aria-label={t.zoomIn} onClick={() => zoom(1.5)}>
          +
        </button>
        <button type="button" class="tool" title={t.zoomOut} aria-label={t.zoomOut} onClick={() => zoom(1 / 1.5)}>
          −
        </button>
        <button type="button" class="tool" title={t.fit} aria-label={t.fit} onClick={showAll}>
          ⤢
        </button>
        <button
          type="button"
          class="tool wide"
          aria-pressed={selecting.value}
          title={t.rectangleHint}
          onClick={() => {
            selecting.value = !selecting.value;
          }}
        >
          <span class="dashed" aria-hidden="true" />
          {t.rectangle}
        </button>
      </div>
      <Legend />
    </div>
  );
}

function Rubber({ box }: { box: Box }) {
  const style = {
    left: `${box.minX}px`,
    top: `${box.minY}px`,
    width: `${box.maxX - box.minX}px`,
    height: `${box.maxY - box.minY}px`,
  };
  return <div class="rubber" style={style} />;
}

const boxOf = (a: { x: number; y: number }, b: { x: number; y: number }): Box => ({
  minX: Math.min(a.x, b.x),
  minY: Math.min(a.y, b.y),
  maxX: Math.max(a.x, b.x),
  maxY: Math.max(a.y, b.y),
});
