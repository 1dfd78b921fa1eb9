import { describe, expect, test } from 'vitest';
import { beginStream, json, piece, type FakeOpenAi } from '../../tests/fixtures-services/fake-openai.ts';
import { answerTo, LONG, remoteBox } from '../../tests/fixtures-services/remote-box.ts';

const box = remoteBox();
const { setUp, withRemote } = box;

describe('what goes wrong is said in words, and what came is kept', () => {
  const cases: [string, FakeOpenAi['reply'], string, string, string][] = [
    [
      'cut in the middle',
      (_, r) => (beginStream(r), r.write(piece('Half')), void setImmediate(() => r.destroy())),
      'remote.cut',
      'Half',
      'before the end',
    ],
    ['ended in the middle', (_, r) => (beginStream(r), void r.end(piece('Half'))), 'remote.cut', 'Half', 'What came is kept'],
    [
      'garbage in the stream',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end('data: {"choices": [oops\n\n')),
      'remote.not-compatible',
      'Half',
      'not a streamed chat answer',
    ],
    [
      'an endless line',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end(`data: ${'x'.repeat(3_000_000)}`)),
      'remote.not-compatible',
      'Half',
      'a line of more than',
    ],
    ['no event at all', (_, r) => (beginStream(r), void r.end('hello\nthere\n')), 'remote.not-compatible', '', 'not a streamed'],
    [
      'a web page',
      (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'remote.not-compatible',
      '',
      'web page',
    ],
    [
      'an error in the stream',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end('data: {"error":{"message":"CUDA out of memory"}}\n\n')),
      'remote.failed',
      'Half',
      'CUDA out of memory',
    ],
    [
      'an error as llama.cpp sends it',
      (_, r) => (beginStream(r), void r.end('error: {"code":500,"message":"slot failed"}\n\n')),
      'remote.failed',
      '',
      'slot failed',
    ],
    [
      'the context limit',
      (_, r) => json(r, 400, { error: { code: 'context_length_exceeded', message: 'maximum context length is 8 tokens' } }),
      'engine.context-full',
      '',
      'Start a new one',
    ],
    [
      '401',
      (_, r) => json(r, 401, { error: { message: 'Incorrect API key provided' } }),
      'remote.unauthorized',
      '',
      'wants a key',
    ],
    [
      '429',
      (_, r) => json(r, 429, { error: 'slow\u0007 down\n\u202e' }),
      'remote.failed',
      '',
      'asked too often (429). It says: slow down',
    ],
    [
      '500 with a page',
      (_, r) => void r.writeHead(500).end('<html><script>x</script>'),
      'remote.failed',
      '',
      'problem of its own (500).',
    ],
    [
      'a filter',
      (_, r) => (beginStream(r), void r.end(piece('Half') + piece(null, 'content_filter'))),
      'remote.failed',
      'Half',
      'filter',
    ],
  ];
  test.each(cases)('%s', async (_, reply, code, content, words) => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = reply;
    const message = await answerTo(t);
    expect(message).toMatchObject({ status: 'failed', content, error: { code } });
    expect(message.error!.message).toContain(words);
  });

  test('nobody there', async () => {
    const t = setUp();
    await withRemote(t);
    await box.server.close();
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.unreachable', details: { reason: 'ECONNREFUSED' } });
  });

  test('silence: before the headers and in the middle', async () => {
    const t = setUp({ limits: { ...LONG, headersMs: 60, idleMs: 60 } });
    await withRemote(t);
    box.server.reply = () => undefined;
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.unreachable', details: { limitMs: 60 } });
    box.server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Half'));
    };
    expect(await answerTo(t)).toMatchObject({ content: 'Half', status: 'failed', error: { code: 'remote.cut' } });
    await t.until(() => box.server.closed() === 2, 'the end of both requests');
  });

  test('after the last word a connection may end as it likes', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Whole', 'stop'));
      setImmediate(() => response.destroy());
    };
    expect(await answerTo(t)).toMatchObject({ content: 'Whole', status: 'complete', error: null });
  });
});
