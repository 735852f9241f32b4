'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import {
  type Port,
  type PortProtocol,
  type PortRange,
  portInWords,
  portProtocols,
} from '@/platform/model/ports.ts'
import { changePortAction, publishPortAction } from '../_actions/ports.ts'
import { Button } from '../_ui/button.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { TextAreaField, TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import { useAction } from '../_ui/use-action.ts'

interface PortButtonProps {
  appId: string
  processes: string[]
  range: PortRange
  /** The one that is changed; none: another one is added. */
  port?: Port
}

export function PortButton({ appId, processes, range, port }: PortButtonProps) {
  const t = useTranslations('ports')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary, clear, problem } = useAction()
  const [open, setOpen] = useState(false)
  const [protocol, setProtocol] = useState<PortProtocol>('tcp')
  const [containerPort, setContainerPort] = useState('')
  const [hostPort, setHostPort] = useState('')
  const [process, setProcess] = useState('web')
  const [sources, setSources] = useState('')
  const ofSources = problem?.fields.find(({ path }) => path.startsWith('sources'))?.path
  const rest = summary([
    'containerPort',
    'hostPort',
    'process',
    ...(ofSources === undefined ? [] : [ofSources]),
  ])

  function change(next: boolean) {
    clear()
    setOpen(next)
    if (!next) return
    setProtocol('tcp')
    setContainerPort(port === undefined ? '' : String(port.containerPort))
    setHostPort('')
    setProcess(port?.process ?? 'web')
    setSources(port?.sources.join('\n') ?? '')
  }

  function submit() {
    const input = {
      containerPort: asNumber(containerPort),
      process,
      sources: sources.split(/[\s,]+/).filter((source) => source !== ''),
    }
    const done = { onDone: () => change(false), done: port === undefined ? t('added') : tCommon('saved') }
    if (port !== undefined) run(() => changePortAction(appId, port.name, input), done)
    else {
      const wanted = hostPort.trim() === '' ? null : asNumber(hostPort)
      run(() => publishPortAction(appId, { ...input, protocol, hostPort: wanted }), done)
    }
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
      title={port === undefined ? t('addTitle') : t('changeTitle', { name: portInWords(port) })}
      description={t('addDescription')}
      trigger={
        port === undefined ? (
          <Button size="small">
            <Plus aria-hidden />
            {t('add')}
          </Button>
        ) : (
          <Button size="small" aria-label={t('changeName', { name: portInWords(port) })}>
            {t('change')}
          </Button>
        )
      }
    >
      <DialogForm
        form={form}
        onSubmit={submit}
        problem={rest}
        pending={pending}
        submit={port === undefined ? t('add') : tCommon('save')}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          {port === undefined && (
            <SelectField
              label={t('protocol')}
              items={portProtocols.map((value) => ({ value, label: value.toUpperCase() }))}
              value={protocol}
              onValueChange={(value) => setProtocol(value === 'udp' ? 'udp' : 'tcp')}
            />
          )}
          <TextField
            label={t('containerPort')}
            inputMode="numeric"
            placeholder="5432"
            value={containerPort}
            onValueChange={setContainerPort}
            error={errorOf('containerPort')}
            autoFocus
          />
        </div>
        {port === undefined && (
          <TextField
            label={t('hostPort')}
            hint={t('optional')}
            description={t('hostPortDescription', { first: String(range.first), last: String(range.last) })}
            inputMode="numeric"
            value={hostPort}
            onValueChange={setHostPort}
            error={errorOf('hostPort')}
          />
        )}
        {processes.length > 1 && (
          <SelectField
            label={t('process')}
            items={processes.map((value) => ({ value, label: value }))}
            value={process}
            onValueChange={setProcess}
            error={errorOf('process')}
          />
        )}
        <TextAreaField
          label={t('sources')}
          hint={t('optional')}
          description={t('sourcesDescription')}
          rows={2}
          mono
          placeholder="203.0.113.0/24"
          value={sources}
          onValueChange={setSources}
          error={ofSources === undefined ? undefined : errorOf(ofSources)}
        />
      </DialogForm>
    </Modal>
  )
}

/** What is no whole number is no port, and is refused as such. */
function asNumber(text: string): number {
  return /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0
}
