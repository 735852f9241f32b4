'use client'

import { Check, Copy } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'
import { copyText } from './clipboard.ts'

interface CopyButtonProps {
  /** What is copied; asked for only when it is. */
  text: string | (() => string)
  /** Names the thing where several can be copied, such as "Copy address". */
  label?: string
  withWords?: boolean
}

export function CopyButton({ text, label, withWords = false }: CopyButtonProps) {
  const t = useTranslations('common')
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])
  const name = label ?? t('copy')
  const copy = async () => setCopied(await copyText(typeof text === 'string' ? text : text()))
  return (
    <Button
      tone={withWords ? 'secondary' : 'ghost'}
      size={withWords ? 'small' : 'icon'}
      aria-label={withWords ? undefined : name}
      title={withWords ? undefined : name}
      onClick={copy}
    >
      {copied ? <Check aria-hidden className="text-success" /> : <Copy aria-hidden />}
      {withWords && name}
      <span role="status" className="sr-only">
        {copied ? t('copied') : ''}
      </span>
    </Button>
  )
}
