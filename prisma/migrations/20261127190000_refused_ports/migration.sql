-- AlterTable
ALTER TABLE "hosts" ADD COLUMN     "refusedPorts" JSONB;
