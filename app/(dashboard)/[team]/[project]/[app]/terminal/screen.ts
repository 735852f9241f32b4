import type { FitAddon } from '@xterm/addon-fit'
import type { ITheme, Terminal } from '@xterm/xterm'
import type { TerminalSize } from '@/platform/model/terminal.ts'
import { copyText } from '../../../../../_ui/clipboard.ts'

export interface Screen {
  terminal: Terminal
  size(): TerminalSize
  applyTheme(): void
  close(): void
}

export interface ScreenEvents {
  onInput(bytes: Uint8Array): void
  onResize(size: TerminalSize): void
  /** Whoever uses the keyboard wants out. */
  onLeave(): void
}

/** xterm.js in this box, as large as it is. Loaded when it is needed: it is larger than the rest of the page. */
export async function openScreen(box: HTMLElement, events: ScreenEvents): Promise<Screen> {
  const [{ Terminal }, { FitAddon }] = await Promise.all([import('@xterm/xterm'), import('@xterm/addon-fit')])
  // A cell is measured once, with the font that is there by then.
  await document.fonts.ready
  const terminal = new Terminal({
    fontFamily: getComputedStyle(box).fontFamily,
    fontSize: 13,
    lineHeight: 1.2,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    scrollback: 5_000,
    minimumContrastRatio: 4.5,
    theme: themeOf(box),
  })
  const fit: FitAddon = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(box)
  fit.fit()
  const encoder = new TextEncoder()
  terminal.onData((text) => events.onInput(encoder.encode(text)))
  // Reports of the mouse are bytes, not text.
  terminal.onBinary((text) => events.onInput(Uint8Array.from(text, (char) => char.charCodeAt(0))))
  terminal.onResize(({ rows, cols }) => events.onResize({ rows, columns: cols }))
  terminal.attachCustomKeyEventHandler((event) => handleKey(event, terminal, events))
  const resizing = new ResizeObserver(() => fit.fit())
  resizing.observe(box)
  return {
    terminal,
    size: () => ({ rows: terminal.rows, columns: terminal.cols }),
    applyTheme() {
      terminal.options.theme = themeOf(box)
    },
    close() {
      resizing.disconnect()
      terminal.dispose()
    },
  }
}

/** Ctrl+C alone is the program's; with Shift it copies, and Ctrl+Shift+V is the browser's own way to paste. */
function handleKey(event: KeyboardEvent, terminal: Terminal, { onLeave }: ScreenEvents): boolean {
  if (!event.ctrlKey || !event.shiftKey) return true
  if (event.code === 'KeyV') return false
  if (event.code !== 'KeyC' && event.code !== 'KeyX') return true
  event.preventDefault()
  if (event.type !== 'keydown') return false
  if (event.code === 'KeyX') onLeave()
  else void copyText(terminal.getSelection())
  return false
}

function themeOf(box: HTMLElement): ITheme {
  const style = getComputedStyle(box)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const [red, green, yellow] = [color('ansi-red'), color('ansi-green'), color('ansi-yellow')]
  const [blue, magenta, cyan] = [color('ansi-blue'), color('ansi-magenta'), color('ansi-cyan')]
  const [foreground, muted] = [color('foreground'), color('muted')]
  return {
    ...{ foreground, background: color('surface'), cursor: color('accent'), cursorAccent: color('surface') },
    ...{ selectionBackground: color('accent'), selectionForeground: color('accent-foreground') },
    ...{ black: foreground, red, green, yellow, blue, magenta, cyan, white: muted },
    ...{ brightBlack: muted, brightRed: red, brightGreen: green, brightYellow: yellow },
    ...{ brightBlue: blue, brightMagenta: magenta, brightCyan: cyan, brightWhite: foreground },
  }
}
