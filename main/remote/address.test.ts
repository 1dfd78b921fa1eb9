import { describe, expect, test } from 'vitest';
import { keyVariableOf, mayConnect, parseServerAddress, scopeOfHost } from './address.ts';

describe('what people type', () => {
  test.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/v1', '127.0.0.1:8080', 'loopback'],
    ['localhost:11434', 'http://localhost:11434/v1', 'localhost:11434', 'loopback'],
    ['http://[::1]:1234/v1/', 'http://[::1]:1234/v1', '[::1]:1234', 'loopback'],
    ['gpu-box:8000', 'http://gpu-box:8000/v1', 'gpu-box:8000', 'private'],
    ['http://192.168.1.20:8000/v1/chat/completions', 'http://192.168.1.20:8000/v1', '192.168.1.20:8000', 'private'],
    ['http://studio.local:1234/v1/models', 'http://studio.local:1234/v1', 'studio.local:1234', 'private'],
    ['api.example.org', 'https://api.example.org/v1', 'api.example.org', 'public'],
    ['https://api.example.org/api/paas/v4/', 'https://api.example.org/api/paas/v4', 'api.example.org', 'public'],
    ['  HTTPS://API.Example.org:443 ', 'https://api.example.org/v1', 'api.example.org', 'public'],
  ])('%s', (given, baseUrl, host, scope) => {
    expect(parseServerAddress(given)).toMatchObject({ baseUrl, host, scope, encrypted: baseUrl.startsWith('https') });
  });

  test.each([
    ['http://api.example.org/v1', 'not encrypted'],
    ['http://8.8.8.8', 'not encrypted'],
    ['http://127.0.0.1.evil.example', 'not encrypted'],
    ['http://localhost.evil.example', 'not encrypted'],
    ['http://192.168.1.1.nip.io', 'not encrypted'],
    ['http://0.0.0.0:80', 'not encrypted'],
    ['https://user:secret@api.example.org', 'user name or password'],
    ['https://api.example.org@evil.example', 'user name or password'],
    ['https://api.example.org/?key=1', '"?"'],
    ['ftp://api.example.org', 'is not the address'],
    ['file:///etc/passwd', 'is not the address'],
    ['javascript:alert(1)', 'is not the address'],
    ['https://', 'is not the address'],
    ['two words', 'is not the address'],
  ])('%s is refused', (given, words) => {
    expect(() => parseServerAddress(given)).toThrow(
      expect.objectContaining({ code: 'remote.address', message: expect.stringContaining(words) }),
    );
    expect(() => parseServerAddress(given)).not.toThrow('secret');
  });
});

test('numbers in disguise are what they are', () => {
  for (const disguised of ['0x7f.1', '2130706433', '0177.0.0.1']) expect(parseServerAddress(disguised).scope).toBe('loopback');
  expect(scopeOfHost('[::ffff:7f00:1]')).toBe('loopback'); // as URL writes ::ffff:127.0.0.1
  expect(scopeOfHost('[::ffff:808:808]')).toBe('public');
});

test('a name may not lead further than it looks', () => {
  const may = (given: string, address: string) => mayConnect(parseServerAddress(given), address);
  expect(may('http://localhost', '192.168.0.1')).toBe(false);
  expect(may('https://localhost', '8.8.8.8')).toBe(false);
  expect(may('http://localhost', '::1')).toBe(true);
  expect(may('http://box.local', '127.0.0.1')).toBe(true);
  expect(may('http://box.local', 'fd00::1')).toBe(true);
  expect(may('http://box.local', '8.8.8.8')).toBe(false);
  expect(may('http://box.local', '::ffff:8.8.8.8')).toBe(false);
  expect(may('https://box.local', '8.8.8.8')).toBe(true); // its certificate says who it is
});

test('each host has a variable of its own', () => {
  const variable = (given: string) => keyVariableOf(parseServerAddress(given));
  expect(variable('https://api.example.org')).toBe('CONCLAVE_KEY_API_EXAMPLE_ORG');
  expect(variable('https://api-example.org')).toBe('CONCLAVE_KEY_API__EXAMPLE_ORG');
  expect(variable('http://127.0.0.1:8080')).toBe('CONCLAVE_KEY_127_0_0_1_8080');
});
