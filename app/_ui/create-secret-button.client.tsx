'use client'

import { Plus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Button } from './button.tsx'
import { Modal } from './dialog.client.tsx'
import { ShownOnce } from './shown-once.client.tsx'

interface CreateSecretButtonProps {
  words: {
    create: string
    createTitle: string
    createDescription: string
    createdTitle: string
    createdDescription: string
    secret: string
    copy: string
  }
  /** The form; it says what it made: a secret, or null for what has none. */
  form: (done: (secret: string | null) => void) => ReactNode
}

/** Opens a form for something whose secret is shown right after, and never again. */
export function CreateSecretButton({ words, form }: CreateSecretButtonProps) {
  const [open, setOpen] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        // Not on closing: it would still be seen to change.
        if (next) setSecret(null)
      }}
      title={secret === null ? words.createTitle : words.createdTitle}
      description={secret === null ? words.createDescription : words.createdDescription}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {words.create}
        </Button>
      }
    >
      {secret === null ? (
        form((made) => (made === null ? setOpen(false) : setSecret(made)))
      ) : (
        <ShownOnce label={words.secret} copyLabel={words.copy} text={secret} />
      )}
    </Modal>
  )
}
