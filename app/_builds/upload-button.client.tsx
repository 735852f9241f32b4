'use client'

import { FileUp } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useRef, useState } from 'react'
import { maxUploadBytes } from '@/platform/model/builds.ts'
import { maxSourceFiles } from '@/platform/model/source-folder.ts'
import { Button } from '../_ui/button.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { formatBytes } from '../_ui/format.ts'
import { Notice } from '../_ui/notice.tsx'
import { ProgressBar } from '../_ui/progress-bar.tsx'
import type { BrowserFolder } from './browser-folder.ts'
import { SourceDrop } from './source-drop.client.tsx'
import { CannotSend, UploadRefused, uploadSource, whyNot } from './upload-source.ts'

interface UploadButtonProps {
  appId: string
  /** Of the app, below which the deployment is watched. */
  path: string
}

interface Work {
  phase: 'packing' | 'sending'
  name: string
  doneBytes: number
  /** Null: not known yet. */
  totalBytes: number | null
}

/** Source as a folder or an archive, by drag and drop or chosen: sent, built and deployed. */
export function UploadButton({ appId, path }: UploadButtonProps) {
  const t = useTranslations('upload')
  const locale = useLocale()
  const router = useRouter()
  const upload = useRef<AbortController | null>(null)
  const [open, setOpen] = useState(false)
  const [work, setWork] = useState<Work | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const limit = formatBytes(maxUploadBytes, locale)

  async function send(name: string, archiveOf: (signal: AbortSignal) => Promise<File>): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    upload.current = controller
    setProblem(null)
    try {
      const file = await archiveOf(signal)
      const wrong = whyNot(file)
      if (wrong !== null) throw new CannotSend(wrong)
      const show = (doneBytes: number) =>
        setWork({ phase: 'sending', name, doneBytes, totalBytes: file.size })
      show(0)
      const number = await uploadSource(appId, file, { onProgress: show, signal })
      setOpen(false)
      router.push(`${path}/deployments/${number}`)
      router.refresh()
    } catch (error) {
      if (!signal.aborted) setProblem(wordsFor(error))
    } finally {
      setWork(null)
    }
  }

  const sendFolder = (folder: BrowserFolder) =>
    send(folder.name, async (signal) => {
      const show = (doneBytes: number, totalBytes: number | null) =>
        setWork({ phase: 'packing', name: folder.name, doneBytes, totalBytes })
      show(0, null)
      const { packFolder } = await import('./pack-folder.ts')
      return packFolder(folder, { onProgress: show, signal })
    })

  function wordsFor(error: unknown): string {
    if (error instanceof CannotSend)
      return t(`wrong.${error.reason}`, {
        ...{ limit, path: error.path, files: maxSourceFiles },
      })
    const reason = error instanceof UploadRefused ? error.message : ''
    return reason === '' ? t('lost') : t('refused', { reason })
  }

  function close(isOpen: boolean): void {
    setOpen(isOpen)
    setProblem(null)
    if (!isOpen) upload.current?.abort(new Error('given up'))
  }

  return (
    <Modal
      open={open}
      onOpenChange={close}
      title={t('title')}
      description={t('description')}
      trigger={
        <Button>
          <FileUp aria-hidden />
          <span className="max-sm:sr-only">{t('button')}</span>
        </Button>
      }
    >
      <div className="space-y-4">
        {work === null ? (
          <SourceDrop
            limit={limit}
            onArchive={(file) => send(file.name, async () => file)}
            onFolder={sendFolder}
            onSeveral={() => setProblem(t('wrong.several'))}
          />
        ) : (
          <UploadProgress work={work} onStop={() => upload.current?.abort(new Error('given up'))} />
        )}
        {problem !== null && <Notice tone="danger">{problem}</Notice>}
      </div>
    </Modal>
  )
}

function UploadProgress({ work, onStop }: { work: Work; onStop(): void }) {
  const t = useTranslations('upload')
  const locale = useLocale()
  const { phase, name, doneBytes, totalBytes } = work
  const part = totalBytes === null ? 0 : totalBytes === 0 ? 1 : doneBytes / totalBytes
  const words = {
    done: formatBytes(doneBytes, locale),
    total: formatBytes(totalBytes ?? 0, locale),
    percent: Math.floor(part * 100),
  }
  const now = {
    packing: () => (totalBytes === null ? t('listing') : t('packed', words)),
    sending: () => (part >= 1 ? t('storing') : t('sent', words)),
  }
  return (
    <div className="space-y-2">
      <p className="break-words">{name}</p>
      <ProgressBar label={t(phase === 'packing' ? 'packing' : 'progress')} value={part} />
      <div className="flex items-center justify-between gap-3">
        <span className="text-muted text-[13px] tabular-nums">{now[phase]()}</span>
        <Button size="small" onClick={onStop}>
          {t('stop')}
        </Button>
      </div>
    </div>
  )
}
