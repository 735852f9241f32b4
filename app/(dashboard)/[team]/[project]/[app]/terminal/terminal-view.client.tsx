'use client'

import '@xterm/xterm/css/xterm.css'
import { ClipboardPaste, Copy, Maximize, Power, Terminal, Wrench } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useRef, useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { copyText } from '../../../../../_ui/clipboard.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { useProblemText } from '../../../../../_ui/use-problem-text.ts'
import { KeyBar } from './key-bar.client.tsx'
import { type TerminalState, useTerminal } from './use-terminal.ts'

interface TerminalViewProps {
  appId: string
  containers: { id: string; label: string }[]
}

/** A shell in one of the app's containers. */
export function TerminalView({ appId, containers }: TerminalViewProps) {
  const t = useTranslations('terminal')
  const [chosen, setChosen] = useState(containers[0]?.id ?? '')
  const whole = useRef<HTMLElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const opener = useRef<HTMLButtonElement>(null)
  const { state, open, close, type, paste, selection } = useTerminal(appId, box, () =>
    opener.current?.focus(),
  )
  // One that ended while the page is open is no choice any more.
  const id = containers.some((each) => each.id === chosen) ? chosen : (containers[0]?.id ?? '')
  const isOpen = state.kind === 'open'
  return (
    <section
      ref={whole}
      aria-label={t('title')}
      className="flex h-[max(24rem,calc(100dvh-19rem))] flex-col overflow-hidden rounded-xl border bg-surface shadow-card"
    >
      <div className="flex flex-wrap items-end gap-x-2 gap-y-2 border-b px-3 py-2.5">
        <SelectField
          className="min-w-52 max-sm:w-full"
          label={t('chooseContainer')}
          value={id}
          onValueChange={setChosen}
          items={containers.map(({ id: value, label }) => ({ value, label }))}
        />
        <Button
          ref={opener}
          tone={isOpen ? 'secondary' : 'primary'}
          disabled={state.kind === 'connecting'}
          onClick={() => (isOpen ? close() : void open(id))}
        >
          {isOpen ? <Power aria-hidden /> : <Terminal aria-hidden />}
          {isOpen ? t('close') : state.kind === 'idle' ? t('open') : t('again')}
        </Button>
        {!isOpen && (
          <Button
            title={t('debugHint')}
            disabled={state.kind === 'connecting'}
            onClick={() => void open(id, true)}
          >
            <Wrench aria-hidden />
            {t('debug')}
          </Button>
        )}
        <span role="status" className="inline-flex h-9 items-center px-1 text-muted text-xs">
          {state.kind === 'connecting' ? t('connecting') : isOpen ? t('connected') : ''}
        </span>
        <div className="ml-auto flex gap-1">
          <Button size="small" tone="ghost" disabled={!isOpen} onClick={() => void copyText(selection())}>
            <Copy aria-hidden />
            <span className="max-sm:sr-only">{t('copy')}</span>
          </Button>
          <Button
            size="small"
            tone="ghost"
            disabled={!isOpen}
            onClick={() => void navigator.clipboard?.readText().then(paste, () => undefined)}
          >
            <ClipboardPaste aria-hidden />
            <span className="max-sm:sr-only">{t('paste')}</span>
          </Button>
          <Button size="small" tone="ghost" onClick={() => void toggleFullScreen(whole.current)}>
            <Maximize aria-hidden />
            <span className="max-sm:sr-only">{t('fullScreen')}</span>
          </Button>
        </div>
      </div>
      <Ending state={state} />
      <div className="relative min-h-0 flex-1 p-2">
        <div ref={box} className="h-full overflow-hidden font-mono" />
        {state.kind === 'idle' && (
          <p className="absolute inset-0 grid place-items-center p-6 text-center text-muted">
            {t('explanation')}
          </p>
        )}
      </div>
      <KeyBar type={type} disabled={!isOpen} />
      <p className="border-t px-3 py-1.5 text-muted text-xs max-sm:hidden">{t('hint')}</p>
    </section>
  )
}

function Ending({ state }: { state: TerminalState }) {
  const t = useTranslations('terminal')
  const problemText = useProblemText()
  if (state.kind === 'refused')
    return (
      <Notice tone="danger" className="m-2">
        {problemText.of(state.problem)}
      </Notice>
    )
  if (state.kind !== 'ended') return null
  const { reason, exitCode } = state.end
  const isUsual = reason === 'exited'
  return (
    <Notice tone={isUsual ? 'info' : 'warning'} className="m-2">
      {isUsual && exitCode !== null ? t('exit', { code: exitCode }) : t(`ended.${reason ?? 'lost'}`)}
    </Notice>
  )
}

async function toggleFullScreen(element: HTMLElement | null): Promise<void> {
  if (document.fullscreenElement !== null) await document.exitFullscreen()
  else await element?.requestFullscreen().catch(() => undefined)
}
