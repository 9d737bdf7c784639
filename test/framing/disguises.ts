// The disguises in which framing fields, chunks and request lines have been smuggled past one reader and not the next:
// lists that the mutator draws from. `$N` stands for a length that fits. Texts are bytes (latin1).

export const LENGTHS: readonly string[] = [
  ..."$N|0|1|5|+5|-5|05|005|00|0x5|5,5|5, 6|5;|5.0|5e0|5 5|5_0|5\x0b|5\x00|\x005|\xa05|5\xa0|\x0b5".split(
    "|",
  ),
  ...'"5"||-0|4294967301|18446744073709551621|9007199254740993|$N, $N|$N\t|\t$N|\r\n $N|$N\r|0$N|+$N|$N\n'.split(
    "|",
  ),
];

export const CODINGS: readonly string[] = [
  ...'chunked|Chunked|CHUNKED|xchunked|chunkedx|chunked,|,chunked|chunked, chunked|"chunked"'.split("|"),
  ..."identity|chunked, identity|identity, chunked|gzip, chunked|gzip|cow|trailers||chunked;q=1|chunked;".split(
    "|",
  ),
  ..."chunked\x00|\x0bchunked|chunked\x0b|\x0cchunked|chunked \t|\tchunked|chunked\x85|\r\n chunked".split(
    "|",
  ),
  ..."chunk ed|chu\x00nked|chunked\xa0|\xa0chunked|'chunked'|chunked, ,|ch%75nked|\nchunked|chunked\r".split(
    "|",
  ),
];

/** How a field's name is written; `$F` is the name. */
export const NAMES: readonly string[] = [
  ..."$F|$F|$F|$F |$F\t| $F|\t$F|X: y\r$F|X: y\n$F|X: y\r\n $F|$F\x00|\x00$F|$F\x0b|\x0b$F|$F\xa0".split("|"),
  ..."\xa0$F|X$F|$Fs|(\x29$F|$F:|:$F|\r\n$F|\r$F|\n$F".split("|"),
];

export const CHUNK_SIZES: readonly string[] = [
  ..."0$S|000000$S|00000000000000000$S|$S | $S|\t$S|$S\t|+$S|-$S|0x$S|0X$S|$S_|_$S|$S.0|$S,|$S,$S|$S;".split(
    "|",
  ),
  ...'$S;;|$S; a|$S ;a|$S;a=|$S;a="|$S;\x00|$S;a\x00|$S;a\n|$S\n|$S\r|$S\x0b|$S\x00||g|G$S|$S\r\n\r\n'.split(
    "|",
  ),
  ...'fffffffffffffffff$S|100000000$S|10000000000000000$S|80000000|7fffffff|ffffffff|fffffffe|$S;a="\r\n'.split(
    "|",
  ),
  ...'$S;\r|$S\r\r|$S;a=b c|$S;a b|\r\n$S|\n$S|$S;a="\\"|$S\xa0|\u0000$S|$S;\x85'.split("|"),
];

export const CHUNK_ENDS: readonly string[] = [
  ..."0\r\n|0\n\n|0\r\n\n|0\n\r\n|00\r\n\r\n|0000000000000000000\r\n\r\n|-0\r\n\r\n|0;a\r\n\r\n|0 \r\n\r\n".split(
    "|",
  ),
  ..."0\r\r\n\r\n|0\r\n\r|0\r\n\rX|\r\n\r\n|0x0\r\n\r\n|0\r\n \r\n\r\n|0\r\n\r\n\r\n|0\r\n0\r\n\r\n|".split(
    "|",
  ),
];

export const TRAILERS: readonly string[] = [
  ..."Content-Length: 5|Transfer-Encoding: chunked|Host: b|Connection: close|X|: y| X: y|X : y|X: \x00".split(
    "|",
  ),
  ..."X: y\n|X: y\r|X: y\nZ: w|X:\r\n y|GET /hidden HTTP/1.1|\x00|X\x80: y|X: \xff|Expect: 100-continue".split(
    "|",
  ),
];

export const HOSTS: readonly string[] = [
  ..."|a b|a,b|a/b|a@b|[::1|[::1]:80|a:b|a:99999|a:80|a:|a\x00|A.b|ex\xe4mple|a#|a?|a\\b|a\tb|*|a%20b|a_b".split(
    "|",
  ),
  ...'"a"|<a>|a..b|.|-|a;b|a&b|127.0.0.1|::1|[v1.a]|[::1%25lo]'.split("|"),
];

export const METHODS: readonly string[] = [
  ..."get|Post|PO ST|POST |\tPOST| POST|POST\t|TRACE|CONNECT|P@ST|GET,|FOO|(POST|POST\x00|\x00POST|P\xd6ST|PATCH|PRI".split(
    "|",
  ),
  ..."M-SEARCH|GET/|G\rET|G\nET|HEAD|GET|OPTIONS|POST:|_POST|post|PROPFIND|\r\nPOST|\r\n\r\nPOST|\nPOST|\rPOST".split(
    "|",
  ),
];

export const TARGETS: readonly string[] = [
  ..."*|/a b|http://b/metrics|//b/metrics|/\x00|/%00|/%0d%0a|/a#b|/a?b?c|\\metrics|https://c|/m\x0b|http://a@b/".split(
    "|",
  ),
  ..."/\xe4|/a|b|/./a/../b|/..|/../../a||a|metrics|/m\t|/\x7f|http://|http:///a|HTTP://A/b|ftp://a/|a:80|/%zz|/%".split(
    "|",
  ),
  ..."/a;b=c|/a\\..\\b|/{a}|/<a>|/%2e%2e/a|/a%2fb|?a|/?|http://b?c|/metrics HTTP/1.1|/a:b|http://[::1]/a".split(
    "|",
  ),
];

export const VERSIONS: readonly string[] = [
  ..."HTTP/1.0|HTTP/0.9|HTTP/1.2|HTTP/1.9|HTTP/2.0|HTTP/1.10|HTTP/01.1|http/1.1|HTTP/1|HTTP/1.|HTTP/ 1.1".split(
    "|",
  ),
  ..."HTTP /1.1|HTTP/1.1 ||HTTP/1,1|HTTP/3.0|HTTPS/1.1|HTTP/1.1\t|HTTP/1.1\x00|HTTP/1.1x|HTTP/11|HTTP/-1.1|ICY/1.1".split(
    "|",
  ),
];

/** Whole lines that say something about the connection, or nothing that anybody should read. */
export const LINES: readonly string[] = [
  "Connection: close",
  "Connection: keep-alive",
  "Connection: close, keep-alive",
  "Connection: Content-Length",
  "Connection: Transfer-Encoding",
  "Connection: Host",
  "Connection: upgrade",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13",
  "Proxy-Connection: close",
  "Keep-Alive: timeout=1, max=1",
  "TE: trailers, chunked",
  "Trailer: Content-Length",
  "Expect: 100-continue",
  "Expect: 200-ok",
  "Expect: 100-continue, x",
  "Expect:",
  "Content_Length: 5",
  "Transfer_Encoding: chunked",
  "Content-Encoding: gzip",
  "Content-Encoding: chunked",
  "X-HTTP-Method-Override: GET",
  "Range: bytes=0-1",
  "X-Client-Id: a b",
  "X-Client-Id: \x80",
  "Prefer: ack=\x01",
  "Prefer: ack=none",
  "Content-Type: application/xml",
  "Content-Type: multipart/byteranges; boundary=a",
  "Authorization: Bearer \xff",
  "X\x80: y",
  "(X): y",
  "X Y: z",
  ": y",
  "X",
  "X:",
  "X:\x00",
  "X: \x7f",
  "X: \x01y",
  "X: \xff\xfe",
  "X: y\r",
  "X: y\n",
  "X: y\x0b",
  "X;: y",
  "\x00",
  " ",
  "X: (a\r\n\tb)",
  "HTTP/1.1 200 OK",
  "GET /hidden HTTP/1.1",
];
