// persist/rdb_format.h: the bytes that reader and writer of RDB agree on.
//
//     "REDIS0010"  { AUX name value }
//     { SELECTDB db  RESIZEDB keys ttls  { [EXPIRETIME_MS t] [IDLE s | FREQ n] type key value } }
//     EOF  CRC-64 of all before it, little-endian, since version 5; 0: not computed
//
// A length: 00xxxxxx; 01xxxxxx + 1 byte; 80 + u32; 81 + u64, all big-endian. 11xxxxxx in place of a
// string's length says how the string is encoded (RdbText).
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

enum RdbOp : uint8_t {
    kRdbSlotInfo = 244,
    kRdbFunction2 = 245,
    kRdbFunctionPreGa = 246,
    kRdbModuleAux = 247,
    kRdbIdle = 248,
    kRdbFreq = 249,
    kRdbAux = 250,
    kRdbResizeDb = 251,
    kRdbExpireMs = 252,
    kRdbExpireS = 253,
    kRdbSelectDb = 254,
    kRdbEof = 255,
};

enum RdbType : uint8_t {
    kRdbString = 0,
    kRdbList = 1,
    kRdbSet = 2,
    kRdbZset = 3,  // scores as text
    kRdbHash = 4,
    kRdbZset2 = 5,  // scores as 8 bytes
    kRdbModulePreGa = 6,
    kRdbModule2 = 7,
    kRdbHashZipmap = 9,
    kRdbListZiplist = 10,
    kRdbSetIntset = 11,
    kRdbZsetZiplist = 12,
    kRdbHashZiplist = 13,
    kRdbListQuicklist = 14,
    kRdbStream = 15,
    kRdbHashListpack = 16,
    kRdbZsetListpack = 17,
    kRdbListQuicklist2 = 18,
    kRdbStream2 = 19,
    kRdbSetListpack = 20,
    kRdbStream3 = 21,
};

// Lengths.
constexpr uint8_t kRdbLen6 = 0x00, kRdbLen14 = 0x40, kRdbLen32 = 0x80, kRdbLen64 = 0x81;
constexpr uint8_t kRdbEncoded = 0xC0;
enum RdbText : uint8_t { kRdbInt8 = 0, kRdbInt16 = 1, kRdbInt32 = 2, kRdbLzf = 3 };

constexpr char kRdbMagic[] = "REDIS";
constexpr size_t kRdbMagicLen = 9;            // with four digits of version
constexpr size_t kRdbPayloadFoot = 10;        // DUMP: version u16, CRC-64
constexpr uint32_t kRdbTextMax = UINT32_MAX;  // what an entry or an element can hold

}  // namespace rp
