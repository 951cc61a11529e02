// All that a program needs: the typed DataStream API. See flott/api/flott.h.
#pragma once

#include "flott/api/flott.h"
